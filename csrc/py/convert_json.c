/* json columns: dicts and lists become compact text by the standard library's C encoder, which is made once a column;
 * text that is JSON already is taken as it is. What the encoder would change in silence (keys that are no str) or
 * write against the standard (NaN) is refused. */
#include "convert_shared.h"

#include "base/utf8.h"

/* An attribute that has to be there. */
static PyObject *attribute(PyObject *o, const char *name)
{
    PyObject *a = py_attribute(o, name);
    if (!a && !PyErr_Occurred()) PyErr_SetString(PyExc_AttributeError, name);
    return a;
}

/* As json.JSONEncoder makes it for ensure_ascii=False, allow_nan=False, separators=(",", ":"), but kept: a new one costs
 * as much as a small dict. It is private there, and has been the same since Python 3.0; without it the public one. */
static PyObject *make_encoder(PyObject *json, PyObject *seen)
{
    PyObject *made = NULL, *encoder = NULL, *options = NULL, *c_make = attribute(json, "c_make_encoder");
    if (!c_make) return NULL;
    PyObject *type = attribute(json, "JSONEncoder"), *quote = attribute(json, "encode_basestring"), *none = PyTuple_New(0);
    if (!type || !quote || !none) goto done;
    options = Py_BuildValue("{s:O,s:O,s:(ss)}", "ensure_ascii", Py_False, "allow_nan", Py_False, "separators", ",", ":");
    encoder = options ? PyObject_Call(type, none, options) : NULL;
    if (!encoder) goto done;
    if (c_make == Py_None) {
        made = attribute(encoder, "iterencode");
        goto done;
    }
    PyObject *fail = attribute(encoder, "default");
    if (fail)
        made = PyObject_CallFunction(c_make, "OOOOssOOO", seen, fail, quote, Py_None, ":", ",", Py_False, Py_False, Py_False);
    Py_XDECREF(fail);
done:
    Py_DECREF(c_make);
    Py_XDECREF(type);
    Py_XDECREF(quote);
    Py_XDECREF(none);
    Py_XDECREF(options);
    Py_XDECREF(encoder);
    return made;
}

int convert_bind_json(core_state *st, column *c)
{
    if (convert_need(&st->Json, "ccpq._json", "Json") < 0) return -1;
    PyObject *json = PyImport_ImportModule("json.encoder");
    if (!json) return -1;
    c->seen = PyDict_New();
    if (c->seen) c->encode = make_encoder(json, c->seen);
    Py_DECREF(json);
    return c->encode ? 0 : -1;
}

/* The text of a value, or NULL with an exception of the encoder or of user code. */
static PyObject *encode(column *c, PyObject *v)
{
    PyObject *first = PyLong_FromLong(0);
    if (!first) return NULL;
    PyObject *parts = PyObject_CallFunctionObjArgs(c->encode, v, first, NULL);
    Py_DECREF(first);
    if (!parts) {
        PyObject *e = compat_take_exception();
        PyDict_Clear(c->seen); /* it would be inside of these containers forever */
        compat_set_exception(e);
        return NULL;
    }
    PyObject *empty = PyUnicode_FromStringAndSize(NULL, 0), *text = NULL;
    if (PyTuple_Check(parts) && PyTuple_GET_SIZE(parts) == 1)
        text = Py_NewRef(PyTuple_GET_ITEM(parts, 0));
    else if (PyList_Check(parts) && PyList_GET_SIZE(parts) == 1)
        text = Py_NewRef(PyList_GET_ITEM(parts, 0));
    else if (empty)
        text = PyUnicode_Join(empty, parts);
    Py_XDECREF(empty);
    Py_DECREF(parts);
    return text;
}

static int find_odd_key(PyObject *v, PyObject **odd);

static int is_odd(PyObject *key, PyObject *value, PyObject **odd)
{
    if (!PyUnicode_Check(key)) {
        *odd = Py_NewRef(key);
        return 1;
    }
    return find_odd_key(value, odd);
}

/* The encoder asks a subclass for its items, which runs user code: what it gave then is asked for again. */
static int find_in_items(PyObject *v, PyObject **odd)
{
    PyObject *items = PyMapping_Items(v);
    int r = items ? 0 : -1;
    for (Py_ssize_t i = 0; r == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2) r = is_odd(PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), odd);
    }
    Py_XDECREF(items);
    return r;
}

/* Such code may change any container: sizes are asked for each time, and what is gone into is held. */
static int find_in_container(PyObject *v, PyObject **odd)
{
    int r = 0;
    if (PyDict_Check(v)) {
        if (!PyDict_CheckExact(v)) return find_in_items(v, odd);
        Py_ssize_t pos = 0;
        PyObject *key, *value;
        while (r == 0 && PyDict_Next(v, &pos, &key, &value)) {
            Py_INCREF(key);
            Py_INCREF(value);
            r = is_odd(key, value, odd);
            Py_DECREF(key);
            Py_DECREF(value);
        }
        return r;
    }
    const bool is_list = PyList_Check(v);
    for (Py_ssize_t i = 0; r == 0 && i < Py_SIZE(v); i++) {
        PyObject *item = Py_NewRef(is_list ? PyList_GET_ITEM(v, i) : PyTuple_GET_ITEM(v, i));
        r = find_odd_key(item, odd);
        Py_DECREF(item);
    }
    return r;
}

/* The first key that is no str, at any depth: 1 and a reference in *odd; 0: none; -1: an exception. */
static int find_odd_key(PyObject *v, PyObject **odd)
{
    if (!PyDict_Check(v) && !PyList_Check(v) && !PyTuple_Check(v)) return 0;
    if (Py_EnterRecursiveCall(" in the keys of a json value")) return -1;
    int r = find_in_container(v, odd);
    Py_LeaveRecursiveCall();
    return r;
}

static conv_result refuse_key(conv *x, const column *c, PyObject *v, PyObject *key)
{
    PyObject *text = py_value_text(x->st, v), *key_text = text ? py_value_text(x->st, key) : NULL;
    conv_result r = CONV_RAISED;
    if (key_text)
        r = convert_refuse(x, x->st->RowTypeError, "%U (%.100s) in a %s column has the key %U (%.100s): keys of JSON objects are text; write {str(k): ...}",
                           text, convert_type_name(v), c->type_text, key_text, convert_type_name(key));
    Py_XDECREF(text);
    Py_XDECREF(key_text);
    return r;
}

/* Where in `content` the refused part is: ", at tags[3].name" in column tags, or nothing. Looking for it may run user code,
 * and what that raises is of no interest then. */
static PyObject *place_text(const column *c, PyObject *content)
{
    PyObject *place = NULL, *find = NULL;
    if (convert_need(&find, "ccpq._json", "_place") == 0) place = PyObject_CallOneArg(find, content);
    Py_XDECREF(find);
    if (!place && !PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
    PyErr_Clear();
    const bool told = place && PyUnicode_Check(place) && PyUnicode_GET_LENGTH(place) > 0;
    PyObject *text = told ? PyUnicode_FromFormat(", at %U%U", c->name, place) : PyUnicode_FromString("");
    Py_XDECREF(place);
    return text;
}

/* What the encoder does not take is a refusal in its words; anything else stays pending. */
static conv_result refuse_content(conv *x, const column *c, PyObject *content, PyObject *v)
{
    const bool is_type = PyErr_ExceptionMatches(PyExc_TypeError);
    if (!is_type && !PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_RecursionError)) return CONV_RAISED;
    PyObject *e = compat_take_exception(), *text = py_value_text(x->st, v), *place = text ? place_text(c, content) : NULL;
    conv_result r = CONV_RAISED;
    if (e && place)
        r = convert_refuse(x, is_type ? x->st->RowTypeError : x->st->RowValueError, "%U (%.100s) in a %s column: %S%U", text,
                           convert_type_name(v), c->type_text, e, place);
    Py_XDECREF(place);
    Py_XDECREF(text);
    Py_XDECREF(e);
    return r;
}

/* `v` is shown where its content is refused; it may be the Json around it. */
static conv_result put_json(conv *x, column *c, PyObject *content, PyObject *v)
{
    PyObject *text = encode(c, content), *odd = NULL;
    if (!text) return refuse_content(x, c, content, v);
    /* Only now: what was encoded has an end. */
    int found = find_odd_key(content, &odd);
    conv_result r = found == 0 ? convert_put_str(x, c, text) : found > 0 ? refuse_key(x, c, v, odd) : refuse_content(x, c, content, v);
    Py_XDECREF(odd);
    Py_DECREF(text);
    return r;
}

static conv_result put_utf8(conv *x, column *c, PyObject *v)
{
    const char *p = PyBytes_AS_STRING(v);
    const size_t n = (size_t)PyBytes_GET_SIZE(v);
    if (!cq_utf8_valid(p, n)) return convert_refuse_value(x, c, v, "; its bytes are no UTF-8");
    return put_result(cq_colbuf_put_bytes(c->buf, p, n, &x->err));
}

static conv_result json_held(conv *x, column *c, PyObject *v)
{
    if (PyDict_Check(v) || PyList_Check(v)) return put_json(x, c, v, v);
    if (PyBytes_Check(v)) return put_utf8(x, c, v);
    if (PyUnicode_Check(v)) return convert_put_str(x, c, v);
    if (PyObject_TypeCheck(v, (PyTypeObject *)x->st->Json)) {
        PyObject *content = attribute(v, "value");
        if (!content) return CONV_RAISED;
        conv_result r = put_json(x, c, content, v);
        Py_DECREF(content);
        return r;
    }
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    if (PyLong_Check(v) || PyFloat_Check(v)) return convert_refuse_type(x, c, v, "; write ccpq.Json(value) if a JSON scalar is meant");
    if (PyTuple_Check(v)) return convert_refuse_type(x, c, v, "; write list(value)");
    return convert_refuse_type(x, c, v, "; it takes dict, list, ccpq.Json(value), or JSON text as str or bytes");
}

conv_result convert_json(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, json_held(x, c, v));
}
