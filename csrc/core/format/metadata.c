/* Parquet's structs in compact protocol. Field numbers are those of the format's thrift
 * definitions; what is left out is left out on purpose (deprecated min/max, ordinal, page
 * statistics, which the column index holds). */
#include "format/metadata.h"

#include "base/bytes.h"

size_t cq_meta_page_header(const cq_page_header *h, uint8_t *dst)
{
    cq_thrift t;
    cq_thrift_begin(&t, dst, CQ_PAGE_HEADER_BYTES);
    cq_thrift_i32(&t, 1, h->type);
    cq_thrift_i32(&t, 2, h->uncompressed_bytes);
    cq_thrift_i32(&t, 3, h->compressed_bytes);
    cq_thrift_i32(&t, 4, cq_wrap_i32(h->crc));
    if (h->type == CQ_PQ_DICTIONARY_PAGE) {
        cq_thrift_struct(&t, 7);
        cq_thrift_i32(&t, 1, h->n_values);
        cq_thrift_i32(&t, 2, h->encoding);
        cq_thrift_bool(&t, 3, false);
    } else if (h->type == CQ_PQ_DATA_PAGE_V2) {
        cq_thrift_struct(&t, 8);
        cq_thrift_i32(&t, 1, h->n_values);
        cq_thrift_i32(&t, 2, h->n_nulls);
        cq_thrift_i32(&t, 3, h->n_values); /* rows: columns are flat */
        cq_thrift_i32(&t, 4, h->encoding);
        cq_thrift_i32(&t, 5, h->level_bytes);
        cq_thrift_i32(&t, 6, 0);
        cq_thrift_bool(&t, 7, h->is_compressed);
    } else {
        cq_thrift_struct(&t, 5);
        cq_thrift_i32(&t, 1, h->n_values);
        cq_thrift_i32(&t, 2, h->encoding);
        cq_thrift_i32(&t, 3, CQ_PQ_RLE);
        cq_thrift_i32(&t, 4, CQ_PQ_RLE);
    }
    cq_thrift_end(&t);
    cq_thrift_end(&t);
    return cq_thrift_bytes(&t);
}

static void put_statistics(cq_thrift *t, int id, const cq_stats *s, cq_type type)
{
    cq_bound min, max;
    cq_thrift_struct(t, id);
    cq_thrift_i64(t, 3, s->n_nulls);
    if (s->has_bounds && s->n_nans == 0) {
        bool const has_max = cq_stats_emit_max(s, type, &max);
        if (has_max) cq_thrift_binary(t, 5, max.bytes, max.n);
        cq_stats_emit_min(s, type, &min);
        cq_thrift_binary(t, 6, min.bytes, min.n);
        if (has_max) cq_thrift_bool(t, 7, max.exact);
        cq_thrift_bool(t, 8, min.exact);
    }
    if (cq_type_facts(type)->is_float) cq_thrift_i64(t, 9, s->n_nans);
    cq_thrift_end(t);
}

int cq_meta_def_histogram(const cq_field *f, int64_t n_slots, int64_t n_nulls, int64_t out[2])
{
    if (f->max_def == 0) return 0;
    out[0] = n_nulls;
    out[1] = n_slots - n_nulls;
    return 2;
}

static void put_size_statistics(cq_thrift *t, int id, const cq_chunk_meta *c)
{
    int64_t def[2];
    int const n_def = cq_meta_def_histogram(c->field, c->n_slots, c->stats.n_nulls, def);
    bool const is_bytes = cq_type_facts(c->field->type)->physical == CQ_PQ_BYTE_ARRAY; /* not those of fixed length */
    if (!n_def && !is_bytes) return;
    cq_thrift_struct(t, id);
    if (is_bytes) cq_thrift_i64(t, 1, c->stats.value_bytes);
    if (n_def) {
        cq_thrift_list(t, 3, CQ_T_I64, (size_t)n_def);
        for (int i = 0; i < n_def; i++) cq_thrift_el_int(t, def[i]);
    }
    cq_thrift_end(t);
}

static void put_encoding_stat(cq_thrift *t, cq_pq_page page, cq_pq_encoding encoding, int64_t count)
{
    if (count == 0) return;
    cq_thrift_el_struct(t);
    cq_thrift_i32(t, 1, page);
    cq_thrift_i32(t, 2, encoding);
    cq_thrift_i32(t, 3, count);
    cq_thrift_end(t);
}

size_t cq_meta_chunk(const cq_chunk_meta *c, uint8_t *dst)
{
    const cq_field *f = c->field;
    bool const dict = c->dict_page_offset >= 0, plain = dict || c->n_plain, levels = f->max_def > 0;
    cq_thrift t;
    cq_thrift_begin(&t, dst, CQ_CHUNK_META_BYTES(f->name_bytes));
    cq_thrift_i64(&t, 2, 0);
    cq_thrift_struct(&t, 3);
    cq_thrift_i32(&t, 1, cq_type_facts(f->type)->physical);
    cq_thrift_list(&t, 2, CQ_T_I32, (size_t)plain + levels + (c->n_delta > 0) + (c->n_dict > 0) + (c->n_split > 0));
    if (plain) cq_thrift_el_int(&t, CQ_PQ_PLAIN);
    if (levels) cq_thrift_el_int(&t, CQ_PQ_RLE);
    if (c->n_delta) cq_thrift_el_int(&t, CQ_PQ_DELTA_BINARY_PACKED);
    if (c->n_dict) cq_thrift_el_int(&t, CQ_PQ_RLE_DICTIONARY);
    if (c->n_split) cq_thrift_el_int(&t, CQ_PQ_BYTE_STREAM_SPLIT);
    cq_thrift_list(&t, 3, CQ_T_BINARY, 1);
    cq_thrift_el_binary(&t, f->name, f->name_bytes);
    cq_thrift_i32(&t, 4, c->codec);
    cq_thrift_i64(&t, 5, c->n_slots);
    cq_thrift_i64(&t, 6, c->uncompressed_bytes);
    cq_thrift_i64(&t, 7, c->compressed_bytes);
    cq_thrift_i64(&t, 9, c->data_page_offset);
    if (dict) cq_thrift_i64(&t, 11, c->dict_page_offset);
    put_statistics(&t, 12, &c->stats, f->type);
    cq_thrift_list(&t, 13, CQ_T_STRUCT, (size_t)dict + (c->n_plain > 0) + (c->n_delta > 0) + (c->n_dict > 0) + (c->n_split > 0));
    put_encoding_stat(&t, CQ_PQ_DICTIONARY_PAGE, CQ_PQ_PLAIN, dict);
    put_encoding_stat(&t, c->page_type, CQ_PQ_PLAIN, c->n_plain);
    put_encoding_stat(&t, c->page_type, CQ_PQ_DELTA_BINARY_PACKED, c->n_delta);
    put_encoding_stat(&t, c->page_type, CQ_PQ_RLE_DICTIONARY, c->n_dict);
    put_encoding_stat(&t, c->page_type, CQ_PQ_BYTE_STREAM_SPLIT, c->n_split);
    put_size_statistics(&t, 16, c);
    cq_thrift_end(&t);
    return cq_thrift_bytes(&t);
}

size_t cq_meta_chunk_tail(int64_t offset_index, int64_t offset_index_bytes, int64_t column_index, int64_t column_index_bytes, uint8_t *dst)
{
    cq_thrift t;
    cq_thrift_resume(&t, dst, CQ_CHUNK_TAIL_BYTES, 3);
    cq_thrift_i64(&t, 4, offset_index);
    cq_thrift_i32(&t, 5, offset_index_bytes);
    if (column_index_bytes > 0) {
        cq_thrift_i64(&t, 6, column_index);
        cq_thrift_i32(&t, 7, column_index_bytes);
    }
    cq_thrift_end(&t);
    return cq_thrift_bytes(&t);
}

size_t cq_meta_schema_root(int32_t n_fields, uint8_t *dst)
{
    cq_thrift t;
    cq_thrift_begin(&t, dst, CQ_SCHEMA_ELEMENT_BYTES(6));
    cq_thrift_binary(&t, 4, "schema", 6);
    cq_thrift_i32(&t, 5, n_fields);
    cq_thrift_end(&t);
    return cq_thrift_bytes(&t);
}

/* The member of the LogicalType union that the type has, with its parameters. */
static void put_logical_type(cq_thrift *t, int id, const cq_field *f, const cq_type_info *info)
{
    cq_thrift_struct(t, id);
    cq_thrift_struct(t, (int)info->logical); /* lint: an enum's value */
    if (info->logical == CQ_PQ_LOGICAL_INTEGER) {
        cq_thrift_i8(t, 1, info->bits);
        cq_thrift_bool(t, 2, info->is_signed);
    } else if (info->logical == CQ_PQ_LOGICAL_DECIMAL) {
        cq_thrift_i32(t, 1, f->scale);
        cq_thrift_i32(t, 2, f->precision);
    } else if (info->unit != CQ_UNIT_NONE) {
        cq_thrift_bool(t, 1, info->utc);
        cq_thrift_struct(t, 2);
        cq_thrift_struct(t, info->unit == CQ_UNIT_NS ? 3 : info->unit == CQ_UNIT_US ? 2 : 1); /* seconds are stored in ms */
        cq_thrift_end(t);
        cq_thrift_end(t);
    }
    cq_thrift_end(t);
    cq_thrift_end(t);
}

size_t cq_meta_schema_leaf(const cq_field *f, uint8_t *dst)
{
    const cq_type_info *info = cq_type_facts(f->type);
    cq_thrift t;
    cq_thrift_begin(&t, dst, CQ_SCHEMA_ELEMENT_BYTES(f->name_bytes));
    cq_thrift_i32(&t, 1, info->physical);
    if (f->fixed_bytes) cq_thrift_i32(&t, 2, f->fixed_bytes);
    cq_thrift_i32(&t, 3, f->optional ? 1 : 0);
    cq_thrift_binary(&t, 4, f->name, f->name_bytes);
    if (info->converted >= 0) cq_thrift_i32(&t, 6, info->converted);
    if (info->logical == CQ_PQ_LOGICAL_DECIMAL) {
        cq_thrift_i32(&t, 7, f->scale);
        cq_thrift_i32(&t, 8, f->precision);
    }
    if (f->field_id >= 0) cq_thrift_i32(&t, 9, f->field_id);
    if (info->logical != CQ_PQ_LOGICAL_NONE) put_logical_type(&t, 10, f, info);
    cq_thrift_end(&t);
    return cq_thrift_bytes(&t);
}
