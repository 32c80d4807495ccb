/* The modules of the C test runner in floor order, one line for each tests/c/test_<name>.c.
 *
 * A line whose file does not exist is passed over (the declarations are weak); a file without a line does not
 * compile, because its entry function then has no prototype (-Wmissing-prototypes). */
#ifndef CQ_TEST_MODULES_H
#define CQ_TEST_MODULES_H

#define CQT_MODULES(M)                                                                                                 \
    /* F0 base */                                                                                                      \
    M(err)                                                                                                             \
    M(mem)                                                                                                             \
    M(file)                                                                                                            \
    M(buf)                                                                                                             \
    M(arena)                                                                                                           \
    M(bitmap)                                                                                                          \
    M(bytes)                                                                                                           \
    M(checksum)                                                                                                        \
    M(spill)                                                                                                           \
    M(utf8)                                                                                                            \
    M(pool)                                                                                                            \
    M(base)                                                                                                            \
    /* F1 codec */                                                                                                     \
    M(bitpack)                                                                                                         \
    M(rle)                                                                                                             \
    M(plain)                                                                                                           \
    M(delta)                                                                                                           \
    M(byte_stream_split)                                                                                               \
    M(dict)                                                                                                            \
    M(compress)                                                                                                        \
    M(codec)                                                                                                           \
    /* F2 format */                                                                                                    \
    M(schema)                                                                                                          \
    M(thrift)                                                                                                          \
    M(metadata)                                                                                                        \
    M(vec)                                                                                                             \
    M(stats)                                                                                                           \
    M(value_text)                                                                                                      \
    M(arrow_type)                                                                                                      \
    M(format)                                                                                                          \
    /* F3 write */                                                                                                     \
    M(sink)                                                                                                            \
    M(plan)                                                                                                            \
    M(colbuf)                                                                                                          \
    M(encode_choice)                                                                                                   \
    M(page_write)                                                                                                      \
    M(sort_check)                                                                                                      \
    M(row_group)                                                                                                       \
    M(file_meta)                                                                                                       \
    M(writer)                                                                                                          \
    M(batch_write)                                                                                                     \
    M(writer_faults)                                                                                                   \
    M(writer_budget)                                                                                                   \
    M(value_import)                                                                                                    \
    M(strided_import)                                                                                                  \
    M(stage)                                                                                                           \
    M(arrow_import)                                                                                                    \
    /* F3 read */                                                                                                      \
    M(source)                                                                                                          \
    M(footer)                                                                                                          \
    M(page_read)                                                                                                       \
    M(column_read)                                                                                                     \
    M(prune)                                                                                                           \
    M(reader)                                                                                                          \
    M(arrow_export)                                                                                                    \
    /* F4 domain */                                                                                                    \
    M(json_scan)                                                                                                       \
    M(snapshot)                                                                                                        \
    M(wal)                                                                                                             \
    M(series)                                                                                                          \
    M(checkpoint_rows)                                                                                                 \
    M(checkpoint)

#endif
