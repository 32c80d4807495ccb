/* Scenarios: a table, options and steps for each way that a writer goes. Rows [0, n_rows) of the table end up in the
 * file; the rows behind them are for aborting and refusing. */
#ifndef CQ_WRITER_SCENARIOS_H
#define CQ_WRITER_SCENARIOS_H

#include "writer_fixture.h"

typedef struct wf_scenario {
    const char *name;
    wf_table t;
    wf_step steps[40];
    int n_steps;
    cq_writer_opts o;
    cq_codec_kind codecs[WF_MAX_COLUMNS]; /* for o.codecs */
    cq_sort_key keys[4];
    size_t window;
    int64_t n_rows;
} wf_scenario;

/* Fills a column with data of a random nature: distinct, few values, runs, constant, steps, nulls, long values. */
void wf_fill_random(wf_table *t, int32_t column, int64_t n, size_t max_bytes);

int wf_n_scenarios(void);
/* To be freed by wf_scenario_free. */
void wf_scenario_make(wf_scenario *s, int number);
void wf_scenario_named(wf_scenario *s, const char *name);
void wf_scenario_free(wf_scenario *s);
/* A run of it, by its steps or by those given. */
wf_run wf_scenario_run(const wf_scenario *s, const wf_step *steps);

#endif
