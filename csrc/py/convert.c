/* The converters' common ground: binding a column to its converter, refusals, nulls, and scalars of other libraries.
 * The values themselves are in convert_number.c, convert_text.c, convert_bytes.c, convert_json.c, convert_time.c,
 * convert_instant.c and convert_decimal.c; convert_lenient.c is strict=False. These files (with compat.h) alone look
 * into the layout of Python objects. */
#include "convert_shared.h"

#include <stdarg.h>

/* -- what a module and a column need ------------------------------------------------------------ */

int convert_need(PyObject **slot, const char *module, const char *name)
{
    if (*slot) return 0;
    PyObject *m = PyImport_ImportModule(module);
    if (!m) return -1;
    PyObject *found = PyObject_GetAttrString(m, name);
    Py_DECREF(m);
    if (found) Py_XSETREF(*slot, found); /* the import may have run this for somebody else */
    return found ? 0 : -1;
}

int convert_add(PyObject *module, core_state *st)
{
    (void)module;
    if (convert_need(&st->Integral, "numbers", "Integral") < 0) return -1;
    return convert_need(&st->repr, "reprlib", "repr");
}

static int need_for(core_state *st, column *c, bool strict)
{
    switch (cq_type_facts(c->type)->logical) {
    case CQ_PQ_LOGICAL_DATE:
    case CQ_PQ_LOGICAL_TIME:
    case CQ_PQ_LOGICAL_TIMESTAMP: return convert_need_datetime(st);
    case CQ_PQ_LOGICAL_DECIMAL: return convert_need(&st->Decimal, "decimal", "Decimal");
    case CQ_PQ_LOGICAL_UUID:
        if (!st->name_int && !(st->name_int = PyUnicode_InternFromString("int"))) return -1;
        return convert_need(&st->UUID, "uuid", "UUID");
    case CQ_PQ_LOGICAL_JSON: return convert_bind_json(st, c);
    case CQ_PQ_LOGICAL_STRING:
        if (!strict && convert_need(&st->UUID, "uuid", "UUID") < 0) return -1;
        if (!strict && convert_need(&st->PathLike, "os", "PathLike") < 0) return -1;
        return convert_need(&st->Enum, "enum", "Enum");
    case CQ_PQ_LOGICAL_ENUM: return convert_need(&st->Enum, "enum", "Enum");
    case CQ_PQ_LOGICAL_NONE:
    case CQ_PQ_LOGICAL_INTEGER:
    case CQ_PQ_LOGICAL_BSON:
    case CQ_PQ_LOGICAL_FLOAT16: break;
    }
    return 0;
}

static conv_fn strict_for(cq_type type)
{
    switch (type) {
    case CQ_JSON: return convert_json;
    case CQ_UUID: return convert_uuid;
    case CQ_DECIMAL32:
    case CQ_DECIMAL64:
    case CQ_DECIMAL128: return convert_decimal;
    default: break;
    }
    conv_fn f = convert_number_for(type);
    if (!f) f = convert_text_for(type);
    if (!f) f = convert_bytes_for(type);
    return f ? f : convert_time_for(type);
}

int convert_bind(core_state *st, column *c, const cq_field *f, cq_colbuf *buf, bool strict)
{
    c->name = PyUnicode_DecodeUTF8(f->name, (Py_ssize_t)f->name_bytes, "strict");
    if (!c->name) return -1;
    PyUnicode_InternInPlace(&c->name);
    c->buf = buf;
    c->type = f->type;
    c->unit = cq_type_facts(f->type)->unit;
    c->utc = cq_type_facts(f->type)->utc;
    c->optional = f->optional;
    c->fixed_bytes = f->fixed_bytes;
    c->precision = f->precision;
    c->scale = f->scale;
    (void)cq_field_type_text(f, c->type_text);
    c->convert = strict_for(f->type);
    conv_fn lenient = strict ? NULL : convert_lenient_for(f->type);
    if (lenient) {
        c->strict = c->convert;
        c->convert = lenient;
    }
    return need_for(st, c, strict);
}

int convert_traverse(column *c, visitproc visit, void *arg)
{
    Py_VISIT(c->name);
    Py_VISIT(c->encode);
    Py_VISIT(c->seen);
    return 0;
}

void convert_clear(column *c)
{
    Py_CLEAR(c->name);
    Py_CLEAR(c->encode);
    Py_CLEAR(c->seen);
}

conv_result convert_release(conv *x, PyObject *v, conv_result r)
{
    if (r == CONV_OK)
        Py_DECREF(v);
    else
        Py_XSETREF(x->held, v);
    return r;
}

/* -- refusals ----------------------------------------------------------------------------------- */

conv_result convert_refuse(conv *x, PyObject *type, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    PyObject *text = PyUnicode_FromFormatV(format, ap);
    va_end(ap);
    if (!text) return CONV_RAISED;
    Py_XSETREF(x->refused_text, text);
    x->refused_type = type;
    return CONV_REFUSED;
}

static conv_result refuse(conv *x, const column *c, PyObject *error, PyObject *v, const char *advice)
{
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    const char *article = strchr("aei", c->type_text[0]) ? "an" : "a";
    conv_result r = convert_refuse(x, error, "%U (%.100s) in %s %s column%s", text, convert_type_name(v), article, c->type_text, advice);
    Py_DECREF(text);
    return r;
}

conv_result convert_refuse_type(conv *x, const column *c, PyObject *v, const char *advice)
{
    return refuse(x, c, x->st->RowTypeError, v, advice);
}

conv_result convert_refuse_value(conv *x, const column *c, PyObject *v, const char *advice)
{
    return refuse(x, c, x->st->RowValueError, v, advice);
}

conv_result convert_refuse_range(conv *x, const column *c, PyObject *v, const char *range)
{
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowOverflowError, "%U does not fit %s (%s)", text, c->type_text, range);
    Py_DECREF(text);
    return r;
}

conv_result convert_null(conv *x, column *c, PyObject *v)
{
    if (c->optional) return put_result(cq_colbuf_put_null(c->buf, &x->err));
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowValueError, "%U in a required column; declare it '%s?' to allow nulls", text,
                                   c->type_text);
    Py_DECREF(text);
    return r;
}

/* -- scalars of other libraries ----------------------------------------------------------------- */

bool convert_numpy_count(PyObject *v, int64_t *out)
{
    Py_buffer view;
    if (PyObject_GetBuffer(v, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return false;
    }
    bool whole = view.len == sizeof *out;
    if (whole) memcpy(out, view.buf, sizeof *out);
    PyBuffer_Release(&view);
    return whole;
}

static foreign numpy_kind(const char *name, PyObject *v)
{
    static const char *const ints[] = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                                       "longlong", "ulonglong", "intc", "uintc", "intp", "uintp", "long", "ulong",
                                       "byte", "ubyte", "short", "ushort"};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        if (strcmp(name, ints[i]) == 0) return FOREIGN_INT;
    if (strcmp(name, "float32") == 0 || strcmp(name, "float64") == 0 || strcmp(name, "float16") == 0) return FOREIGN_FLOAT;
    if (strcmp(name, "bool") == 0 || strcmp(name, "bool_") == 0) return FOREIGN_BOOL;
    bool is_datetime = strcmp(name, "datetime64") == 0;
    if (!is_datetime && strcmp(name, "timedelta64") != 0) return FOREIGN_NONE;
    int64_t count = 0;
    if (convert_numpy_count(v, &count) && count == INT64_MIN) return FOREIGN_NULL;
    return is_datetime ? FOREIGN_DATETIME : FOREIGN_OTHER;
}

static bool module_is_pandas(PyTypeObject *tp)
{
    PyObject *module = py_attribute((PyObject *)tp, "__module__");
    bool yes = false;
    if (module && PyUnicode_Check(module)) {
        PyObject *head = PyUnicode_Substring(module, 0, 7);
        yes = head && PyUnicode_CompareWithASCIIString(head, "pandas.") == 0;
        Py_XDECREF(head);
    }
    Py_XDECREF(module);
    PyErr_Clear();
    return yes;
}

/* C types carry their module in tp_name, classes made by Python code do not. */
static bool is_pandas_timestamp(const PyTypeObject *tp)
{
    for (; tp; tp = tp->tp_base) {
        const char *dot = strrchr(tp->tp_name, '.');
        if (dot && strcmp(dot, "._Timestamp") == 0 && strncmp(tp->tp_name, "pandas.", 7) == 0) return true;
    }
    return false;
}

foreign convert_classify(PyObject *v)
{
    PyTypeObject *tp = Py_TYPE(v);
    const char *name = tp->tp_name;
    if (strncmp(name, "numpy.", 6) == 0) return numpy_kind(name + 6, v);
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    if (strcmp(last, "NAType") == 0 || strcmp(last, "NaTType") == 0)
        return strncmp(name, "pandas.", 7) == 0 || module_is_pandas(tp) ? FOREIGN_NULL : FOREIGN_NONE;
    return is_pandas_timestamp(tp) ? FOREIGN_TIMESTAMP : FOREIGN_NONE;
}

PyObject *convert_foreign_int(conv *x, PyObject *v, foreign kind)
{
    if (kind == FOREIGN_INT) return PyNumber_Index(v);
    if (kind != FOREIGN_NONE || !PyIndex_Check(v)) return NULL;
    int is = PyObject_IsInstance(v, x->st->Integral);
    return is > 0 ? PyNumber_Index(v) : NULL;
}
