/* Helpers of the checkpoint tests: a sink that keeps the rows it is given, a builder of .bin files,
 * a runner of host jobs, and the golden expectations. */
#ifndef CHECKPOINT_HELP_H
#define CHECKPOINT_HELP_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE first: strdup, DT_DIR, memfd_create"
#endif

#include "base/bytes.h"
#include "checkpoint/checkpoint_rows.h"
#include "cqtest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN "tests/data/checkpoints"

/* Rows. */

typedef struct row {
    const char *key; /* cluster, hostname, metric, scope, scope_id with tabs; owned by rows.keys */
    int64_t time, frequency;
    float value;
} row;

typedef struct rows {
    row *a;
    size_t n, cap;
    char **keys;
    size_t n_keys, cap_keys;
    uint64_t n_batches, n_ramps, n_series;
    bool only_count;
    int64_t fail_at_row; /* the sink fails there; 0: never */
    uint64_t sum;        /* with only_count: of bits */
} rows;

static inline void rows_free(rows *r)
{
    for (size_t i = 0; i < r->n_keys; i++) free(r->keys[i]);
    free(r->keys);
    free(r->a);
    memset(r, 0, sizeof *r);
}

static inline const char *rows_key(rows *r, const char *key)
{
    if (r->n_keys && strcmp(r->keys[r->n_keys - 1], key) == 0) return r->keys[r->n_keys - 1];
    if (r->n_keys == r->cap_keys) r->keys = realloc(r->keys, (r->cap_keys = 2 * r->cap_keys + 16) * sizeof *r->keys);
    return r->keys[r->n_keys++] = strdup(key);
}

static inline void rows_put(rows *r, const char *key, int64_t time, int64_t frequency, float value)
{
    if (r->n == r->cap) r->a = realloc(r->a, (r->cap = 2 * r->cap + 64) * sizeof *r->a);
    r->a[r->n++] = (row){key, time, frequency, value};
}

static inline int64_t vec_i64(const cq_vec *v, int64_t i)
{
    int64_t x = 0;
    if (v->shape == CQ_VEC_RAMP) return v->start + i * v->step;
    if (v->shape == CQ_VEC_FLAT) return ((const int64_t *)v->values)[i];
    memcpy(&x, v->constant.p, 8);
    return x;
}

static inline cq_status rows_batch(void *ctx, const cq_batch *b, cq_err *e)
{
    rows *r = ctx;
    const cq_vec *c = b->columns;
    CQT(b->n_rows > 0 && b->n_rows <= CQ_ROW_BATCH);
    r->n_batches++;
    r->n_ramps += c[CQ_ROW_TIMESTAMP].shape == CQ_VEC_RAMP;
    if (r->fail_at_row && (int64_t)r->n + b->n_rows >= r->fail_at_row) return cq_fail(e, CQ_ESINK, "the sink is full");
    if (r->only_count) {
        r->n += (size_t)b->n_rows;
        return CQ_OK;
    }
    char *key = malloc(5 * 70000);
    size_t n = 0;
    for (int i = CQ_ROW_CLUSTER; i <= CQ_ROW_SCOPE_ID; i++) {
        CQT(c[i].shape == CQ_VEC_CONST && c[i].type == CQ_STRING);
        if (i) key[n++] = '\t';
        memcpy(key + n, c[i].constant.p, c[i].constant.n);
        n += c[i].constant.n;
    }
    key[n] = 0;
    const char *k = rows_key(r, key);
    free(key);
    for (int64_t i = 0; i < b->n_rows; i++)
        rows_put(r, k, vec_i64(&c[CQ_ROW_TIMESTAMP], i), vec_i64(&c[CQ_ROW_FREQUENCY], i), ((const float *)c[CQ_ROW_VALUE].values)[i]);
    return CQ_OK;
}

static inline cq_status rows_series_end(void *ctx, cq_err *e)
{
    rows *r = ctx;
    (void)e;
    r->n_series++;
    return CQ_OK;
}

static inline cq_row_sink rows_sink(rows *r) { return (cq_row_sink){rows_batch, rows_series_end, r}; }

static inline void rows_same(const rows *got, const rows *want, const char *what)
{
    for (size_t i = 0; i < got->n && i < want->n; i++) {
        const row *a = &got->a[i], *b = &want->a[i];
        if (strcmp(a->key, b->key) != 0 || a->time != b->time || a->frequency != b->frequency || memcmp(&a->value, &b->value, 4) != 0)
            CQT_FAIL("%s: row %zu is %s %lld %lld %.9g, expected %s %lld %lld %.9g", what, i, a->key, (long long)a->time, (long long)a->frequency, (double)a->value,
                     b->key, (long long)b->time, (long long)b->frequency, (double)b->value);
    }
    if (got->n != want->n) CQT_FAIL("%s: %zu rows, expected %zu", what, got->n, want->n);
}

/* Jobs. */

typedef struct job {
    cq_mem mem;
    cq_host_job job;
    cq_checkpoint_file files[64];
    cq_err e;
} job;

static inline job *job_new(const char *cluster, const char *host, const char *dir, uint64_t limit)
{
    job *j = calloc(1, sizeof *j);
    cq_mem_init(&j->mem, NULL, limit);
    j->job.cluster = cq_span_of(cluster, strlen(cluster));
    j->job.hostname = cq_span_of(host, strlen(host));
    j->job.dir = dir;
    j->job.files = j->files;
    j->job.mem = &j->mem;
    j->job.spill_dir = "/var/tmp";
    return j;
}

static inline void job_file(job *j, const char *name) { j->files[j->job.n_files++].name = name; }

static inline cq_status job_run(job *j, rows *r)
{
    j->job.sink = rows_sink(r);
    cq_err_clear(&j->e);
    cq_status st = cq_host_copy(&j->job, &j->e);
    CQT_EQ_U(cq_mem_used(&j->mem), 0);
    return st;
}

static inline void job_free(job *j)
{
    cq_mem_close(&j->mem);
    free(j);
}

/* Files. */

typedef struct bytes {
    uint8_t *p;
    size_t n, cap;
} bytes;

static inline void put(bytes *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) b->p = realloc(b->p, b->cap = 2 * (b->n + n) + 64);
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}
static inline void put_u16(bytes *b, unsigned v) { uint16_t const x = (uint16_t)v; put(b, &x, 2); }
static inline void put_u32(bytes *b, uint64_t v) { uint32_t const x = (uint32_t)v; put(b, &x, 4); }
static inline void put_i64(bytes *b, int64_t v) { put(b, &v, 8); }
static inline void put_name(bytes *b, const char *s) { put_u16(b, (unsigned)strlen(s)); put(b, s, strlen(s)); }
static inline void put_text(bytes *b, const char *s) { put(b, s, strlen(s)); }
static inline void put_head(bytes *b) { put_u32(b, CQ_SNAPSHOT_MAGIC); put_i64(b, 0); put_i64(b, 0); }
/* Without the values. */
static inline void put_metric(bytes *b, const char *name, int64_t frequency, int64_t start, uint64_t n)
{
    put_name(b, name);
    put_i64(b, frequency);
    put_i64(b, start);
    put_u32(b, n);
}

static inline void save(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    CQT(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* A directory in the run's place for temporary files; the name stays until it is removed. */
static inline char *make_dir(const char *name)
{
    char *dir = strdup(cqt_tmp_path(name));
    CQT(mkdir(dir, 0700) == 0);
    return dir;
}

static inline void save_in(const char *dir, const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    save(path, p, n);
}

static inline void remove_dir(char *dir)
{
    char path[4096];
    DIR *d = opendir(dir);
    for (struct dirent *f; (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.') unlink(path);
    }
    closedir(d);
    rmdir(dir);
    free(dir);
}

static inline bytes load_file(const char *path)
{
    bytes b = {0};
    FILE *f = fopen(path, "rb");
    if (!f) CQT_FAIL("cannot open %s", path);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) put(&b, chunk, n);
    fclose(f);
    put(&b, "", 1);
    b.n--;
    return b;
}

/* The lines of an expectation: tab-separated, `first` is the column of the cluster; with a file
 * column only lines of `file`. Only those of `cluster` and `host` (NULL: all). */
static inline rows load_expected(const char *path, const char *file, const char *cluster, const char *host)
{
    rows r = {0};
    bytes b = load_file(path);
    char *line = (char *)b.p;
    for (char *next = strchr(line, '\n'); next; line = next + 1, next = strchr(line, '\n')) {
        *next = 0;
        char *field[16], *at = line;
        int n = 0;
        for (field[n++] = at; (at = strchr(at, '\t')) && n < 16;) {
            *at++ = 0;
            field[n++] = at;
        }
        int const first = n - 8;
        CQT(first == 0 || first == 1);
        if (strcmp(field[first], "cluster") == 0) continue;
        if ((file && strcmp(field[0], file) != 0) || strcmp(field[first], cluster) != 0 || strcmp(field[first + 1], host) != 0) continue;
        char key[8192];
        snprintf(key, sizeof key, "%s\t%s\t%s\t%s\t%s", field[first], field[first + 1], field[first + 2], field[first + 3], field[first + 4]);
        rows_put(&r, rows_key(&r, key), strtoll(field[first + 5], NULL, 10), strtoll(field[first + 6], NULL, 10), strtof(field[first + 7], NULL));
    }
    free(b.p);
    return r;
}

/* Index passes over bytes in memory. `text` lists what was found, sorted: one line a series with
 * metric, scope, scope id, path (names with '/'), start, frequency, n and the values. */

typedef struct scanned {
    cq_status status;
    cq_err e;
    cq_checkpoint_info info;
    bool duplicate;
    char *text;
} scanned;

static inline int memfd_of(const void *p, size_t n)
{
    int const fd = memfd_create("checkpoint", MFD_CLOEXEC);
    CQT(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    return fd;
}

static inline void note_duplicate(void *ctx, uint32_t file, const cq_err *why)
{
    scanned *r = ctx;
    (void)file;
    r->duplicate = true;
    r->status = why->code;
    r->e = *why;
}

/* `chunk` values are read back at a time. */
static inline void list_series(scanned *r, cq_series_index *ix, cq_mem *mem, int fd, size_t window, size_t chunk)
{
    bytes text = {0};
    char path[64];
    cq_checkpoint_file file = {.name = path, .info = r->info};
    cq_value_reader reader;
    float *values = malloc(chunk * sizeof *values);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CQT_OK(cq_value_reader_init(&reader, mem, NULL, window, AT_FDCWD, &file, &r->e), &r->e);
    for (;;) {
        cq_series s;
        bool more;
        char number[400];
        CQT_OK(cq_series_index_next(ix, &s, &more, &r->e), &r->e);
        if (!more) break;
        put(&text, s.metric.p, s.metric.n);
        put_text(&text, "|");
        put(&text, s.scope.p, s.scope.n);
        put_text(&text, "|");
        put(&text, s.scope_id.p, s.scope_id.n);
        put_text(&text, "|");
        cq_span name;
        for (size_t at = 0; cq_tree_path_next(s.path, &at, &name);) {
            put(&text, name.p, name.n);
            put_text(&text, "/");
        }
        snprintf(number, sizeof number, "|%lld|%lld|%llu|", (long long)s.start, (long long)s.frequency, (unsigned long long)s.n_values);
        put_text(&text, number);
        cq_value_cursor c = cq_value_cursor_of(&s);
        while (c.left) {
            size_t const n = c.left < chunk ? (size_t)c.left : chunk;
            CQT_OK(cq_value_read(&reader, &c, values, n, &r->e), &r->e);
            for (size_t i = 0; i < n; i++) {
                snprintf(number, sizeof number, " %.9g", (double)values[i]);
                put_text(&text, values[i] != values[i] ? " -" : number);
            }
        }
        put_text(&text, "\n");
    }
    CQT_OK(cq_value_reader_finish(&reader, &r->e), &r->e);
    cq_value_reader_reset(&reader);
    put(&text, "", 1);
    r->text = (char *)text.p;
    free(values);
}

static inline scanned scan_bytes(cq_checkpoint_kind kind, const void *p, size_t n, size_t window, size_t chunk)
{
    scanned r;
    cq_mem mem;
    cq_scan scan;
    cq_series_index ix;
    memset(&r, 0, sizeof r);
    cq_err_clear(&r.e);
    cq_mem_init(&mem, NULL, 16 << 20);
    int const fd = memfd_of(p, n);
    CQT_OK(cq_series_index_init(&ix, &mem, "/var/tmp", NULL, 1 << 20, 1, &r.e), &r.e);
    CQT_OK(cq_scan_init(&scan, &mem, NULL, window, &ix, &r.e), &r.e);
    r.info.kind = kind;
    CQT_OK(cq_file_identify(fd, "memory", &r.info.id, &r.e), &r.e);
    r.status = cq_scan_file(&scan, fd, "memory", 0, &r.info, &r.e);
    if (r.status == CQ_OK) CQT_OK(cq_series_index_finish(&ix, note_duplicate, &r, &r.e), &r.e);
    if (r.status == CQ_OK) list_series(&r, &ix, &mem, fd, window, chunk);
    cq_scan_reset(&scan);
    cq_series_index_reset(&ix);
    CQT_EQ_U(cq_mem_used(&mem), 0);
    cq_mem_close(&mem);
    close(fd);
    return r;
}

#endif
