/* Faults: every allocation, every write of the sink and of the temporary files, and every poll for an interrupt fails
 * once in every scenario. Each failure has a clean record and leaves nothing behind; where the call may be made again,
 * it is, and the file must be the one of an undisturbed run. */
#include "writer_scenarios.h"

typedef enum fault { OF_MEMORY, OF_SINK, OF_PAGES, OF_METADATA, OF_STOP } fault;

static void set_fault(wf_run *r, fault f, uint64_t k)
{
    r->mem_fail_at = f == OF_MEMORY ? k : 0;
    r->sink_fail_at = f == OF_SINK ? k : 0;
    r->pages_fail_at = f == OF_PAGES ? k : 0;
    r->meta_fail_at = f == OF_METADATA ? k : 0;
    r->stop_at = f == OF_STOP ? k : 0;
}

typedef struct tally {
    int failed, recovered, absorbed;
} tally;

static bool has_batches(const wf_scenario *s)
{
    for (const wf_step *x = s->steps; x->op != WF_END_OF_STEPS; x++)
        if (x->op == WF_BATCH || x->op == WF_SHAPED || x->op == WF_CHECKED) return true;
    return false;
}

static void check_code(fault f, const wf_run *r)
{
    static const cq_status codes[] = {CQ_ENOMEM, CQ_ESINK, CQ_EIO, CQ_EIO, CQ_EINTERRUPTED};
    CQT_MSG(r->status == codes[f], "fault %d: status %d: %s", (int)f, (int)r->status, r->err.msg);
}

/* One run without and one with a repeated call; false: the fault was beyond the end of the run. */
static bool one_fault(const wf_scenario *s, fault f, uint64_t k, const wf_run *want, tally *n)
{
    wf_run once = wf_scenario_run(s, NULL);
    set_fault(&once, f, k);
    (void)wf_go(&once);
    bool const hit = once.status != CQ_OK;
    if (hit)
        check_code(f, &once);
    else
        wf_same_bytes("a fault that did no harm", &once, want);
    bool const beyond = !hit && (f == OF_MEMORY ? once.n_requests < k : f == OF_STOP ? once.n_polls < k : f != OF_SINK ? true : once.sink.n_writes < k);
    n->failed += hit;
    n->absorbed += !hit && !beyond;
    wf_free(&once);
    if (!hit) return !beyond;
    wf_run again = wf_scenario_run(s, NULL);
    set_fault(&again, f, k);
    again.retry = true;
    if (wf_go(&again) == CQ_OK) {
        CQT(again.n_failures == 1);
        wf_same_bytes("after a repeated call", &again, want);
        n->recovered++;
    }
    wf_free(&again);
    return true;
}

enum { EXHAUSTIVE = 2000 }; /* faults tried one by one; later ones are sampled */

static tally sweep(const wf_scenario *s, fault f, const wf_run *want)
{
    tally n = {0, 0, 0};
    for (uint64_t k = 1; k < 100000; k += k < EXHAUSTIVE ? 1 : 1 + cqt_rand_below(k / 16))
        if (!one_fault(s, f, k, want, &n)) break;
    cqt_note("%-16s fault %d: %d failed, %d of them recovered, %d absorbed", s->name, (int)f, n.failed, n.recovered, n.absorbed);
    return n;
}

/* The last requests of a run, which a sampled sweep may pass over. */
static void last_ones(const wf_scenario *s, fault f, uint64_t top, const wf_run *want)
{
    tally n = {0, 0, 0};
    for (uint64_t k = top > 12 ? top - 12 : 1; k <= top; k++) (void)one_fault(s, f, k, want, &n);
}

static void sweep_all(fault f)
{
    tally sum = {0, 0, 0};
    for (int i = 0; i < wf_n_scenarios(); i++) {
        wf_scenario s;
        wf_scenario_make(&s, i);
        wf_run want = wf_scenario_run(&s, NULL);
        wf_must(&want);
        wf_dump(&want, s.name, 0, s.n_rows);
        CQT_EQ_I(want.info.rows, s.n_rows);
        tally const n = sweep(&s, f, &want);
        if (f == OF_MEMORY) last_ones(&s, f, want.n_requests, &want);
        if (f == OF_STOP && !has_batches(&s)) CQT_EQ_I(n.recovered, n.failed);
        if (f == OF_SINK) CQT_EQ_I(n.recovered, 0);
        sum.failed += n.failed;
        sum.recovered += n.recovered;
        wf_free(&want);
        wf_scenario_free(&s);
    }
    CQT(sum.failed > 0);
    if (f != OF_SINK && f != OF_METADATA) CQT(sum.recovered > 0);
}

static void memory(void) { sweep_all(OF_MEMORY); }
static void sink(void) { sweep_all(OF_SINK); }
static void parked_pages(void) { sweep_all(OF_PAGES); }
static void metadata_log(void) { sweep_all(OF_METADATA); }
static void interrupts(void) { sweep_all(OF_STOP); }

static void finish_that_fails(void)
{
    wf_scenario s;
    wf_scenario_make(&s, 0);
    wf_run r = wf_scenario_run(&s, NULL);
    r.fail_finish = r.retry = true;
    CQT_STATUS(wf_go(&r), CQ_ESINK);
    wf_free(&r);
    wf_scenario_free(&s);
}

static void never_closed(void)
{
    for (int i = 0; i < wf_n_scenarios(); i++) {
        wf_scenario s;
        wf_scenario_make(&s, i);
        wf_run r = wf_scenario_run(&s, NULL);
        CQT_OK(wf_begin(&r), &r.err);
        if (s.n_rows > 2)
            for (int64_t row = 0; row < 3; row++) {
                CQT_OK(wf_whole_row(&r, row), &r.err);
                if (cq_writer_due(r.w)) CQT_OK(cq_writer_settle(r.w, &r.err), &r.err);
            }
        if (s.n_rows > 2) CQT_OK(wf_put_row(&r, 2, 1), &r.err);
        wf_finish(&r, CQ_ESTATE); /* freed in the middle of a row: aborted once, never finished */
        wf_free(&r);
        wf_scenario_free(&s);
    }
}

void test_writer_faults(void)
{
    CQT_RUN(memory);
    CQT_RUN(sink);
    CQT_RUN(parked_pages);
    CQT_RUN(metadata_log);
    CQT_RUN(interrupts);
    CQT_RUN(finish_that_fails);
    CQT_RUN(never_closed);
}
