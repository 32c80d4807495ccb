/* A value as an error message shows it: its bytes in a column, as text that says what they mean. */
#ifndef CQ_FORMAT_VALUE_TEXT_H
#define CQ_FORMAT_VALUE_TEXT_H

#include "format/schema.h"

/* Writes at most 40 bytes of a text or 20 bytes of hexadecimal digits, cut with ".."; NUL-terminated, valid UTF-8 where
 * the value is. "None" for a null, whose span is not looked at. */
#define CQ_VALUE_TEXT_BYTES 80
void cq_value_text(const cq_field *f, bool is_null, cq_span v, char buf[CQ_VALUE_TEXT_BYTES]);

#endif
