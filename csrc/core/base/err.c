/* Filling the error record: see err.h for the convention. Texts are cut at a character border, so
 * that a message with a name in it stays valid UTF-8. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cq_err_clear(cq_err *e)
{
    if (!e) return;
    e->code = CQ_OK;
    e->sys_errno = 0;
    e->row_group = e->column = -1;
    e->offset = e->row = -1;
    e->needed = e->limit = 0;
    e->msg[0] = '\0';
}

/* A multi-byte character cut by the size of the record is taken away as a whole. */
static void trim_utf8(char *s, size_t cap)
{
    size_t n = strlen(s);
    if (n + 1 < cap) return;
    while (n > 0 && ((unsigned char)s[n - 1] & 0xC0u) == 0x80u) n--;
    if (n > 0 && (unsigned char)s[n - 1] >= 0xC0u) n--;
    s[n] = '\0';
}

cq_status cq_fail(cq_err *e, cq_status code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        cq_err_clear(e);
        e->code = code;
        va_start(ap, fmt);
        (void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
        va_end(ap);
        trim_utf8(e->msg, sizeof e->msg);
    }
    return code;
}

cq_status cq_fail_errno(cq_err *e, int sys_errno, const char *what)
{
    cq_status st = cq_fail(e, CQ_EIO, "%s: %s", what, strerror(sys_errno));
    if (e) e->sys_errno = sys_errno;
    return st;
}

cq_status cq_fail_budget(cq_err *e, const char *what, uint64_t needed, uint64_t limit)
{
    cq_status st = cq_fail(e, CQ_EBUDGET, "%s needs %llu bytes; the memory limit is %llu bytes", what,
                           (unsigned long long)needed, (unsigned long long)limit);
    if (e) {
        e->needed = needed;
        e->limit = limit;
    }
    return st;
}

void cq_err_where(cq_err *e, int64_t offset, int64_t row, int32_t row_group, int32_t column)
{
    if (!e) return;
    if (e->offset < 0) e->offset = offset;
    if (e->row < 0) e->row = row;
    if (e->row_group < 0) e->row_group = row_group;
    if (e->column < 0) e->column = column;
}
