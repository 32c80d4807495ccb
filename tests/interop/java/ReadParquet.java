/* Reads Parquet files with parquet-java and prints every value in the canonical form of interop_values.py.
 *
 * Arguments: a file that lists the files, one path per line. One JSON object per line goes to standard output. Each
 * column is read on its own, so that the failure of one is not that of its neighbours. Checksums of pages are checked.
 */
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.Version;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

public final class ReadParquet {
    /* How the values of a column are told: the words of interop_values.py. */
    private static final class Kind {
        String name;
        String facts = "";
        boolean signed = true;
    }

    /* The column readers want a place to put values; the values are taken from the readers themselves. */
    private static final class Nowhere extends GroupConverter {
        private final PrimitiveConverter leaf = new PrimitiveConverter() {};

        @Override
        public Converter getConverter(int index) {
            return leaf;
        }

        @Override
        public void start() {}

        @Override
        public void end() {}
    }

    public static void main(String[] args) throws Exception {
        try (PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 20), false, "UTF-8")) {
            out.println("{\"reader\":\"parquet-java\",\"version\":" + quoted(Version.VERSION_NUMBER) + "}");
            for (String file : Files.readAllLines(Paths.get(args[0]), StandardCharsets.UTF_8)) {
                StringBuilder line = new StringBuilder("{\"file\":").append(quoted(file));
                int mark = line.length();
                try {
                    readFile(Paths.get(file), line.append(",\"columns\":{"));
                    line.append('}');
                } catch (Exception | Error e) {
                    line.setLength(mark);
                    line.append(",\"error\":").append(quoted(said(e)));
                }
                out.append(line).append("}\n");
            }
        }
    }

    private static void readFile(Path path, StringBuilder line) throws Exception {
        ParquetReadOptions options =
                ParquetReadOptions.builder(new PlainParquetConfiguration()).usePageChecksumVerification().build();
        MessageType schema;
        String createdBy;
        try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(path), options)) {
            schema = reader.getFileMetaData().getSchema();
            createdBy = reader.getFileMetaData().getCreatedBy();
        }
        String comma = "";
        for (Type field : schema.getFields()) {
            line.append(comma).append(quoted(field.getName())).append(":{");
            comma = ",";
            int mark = line.length();
            try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(path), options)) {
                MessageType one = new MessageType(schema.getName(), field);
                reader.setRequestedSchema(one);
                Kind kind = kindOf(field.asPrimitiveType());
                line.append("\"kind\":\"").append(kind.name).append('"').append(kind.facts).append(",\"values\":[");
                readColumn(reader, one, createdBy, kind, line);
                line.append(']');
            } catch (Exception | Error e) {
                line.setLength(mark);
                line.append("\"error\":").append(quoted(said(e)));
            }
            line.append('}');
        }
    }

    private static void readColumn(
            ParquetFileReader reader, MessageType schema, String createdBy, Kind kind, StringBuilder line)
            throws Exception {
        ColumnDescriptor column = schema.getColumns().get(0);
        String comma = "";
        for (PageReadStore group; (group = reader.readNextRowGroup()) != null; ) {
            ColumnReader values =
                    new ColumnReadStoreImpl(group, new Nowhere(), schema, createdBy).getColumnReader(column);
            for (long n = values.getTotalValueCount(); n > 0; n--) {
                line.append(comma);
                comma = ",";
                if (values.getCurrentDefinitionLevel() < column.getMaxDefinitionLevel()) {
                    line.append("null");
                } else {
                    line.append(told(values, column.getPrimitiveType(), kind));
                }
                values.consume();
            }
        }
    }

    private static Kind kindOf(PrimitiveType type) {
        Kind kind = new Kind();
        LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
        if (logical instanceof IntLogicalTypeAnnotation) {
            kind.name = "int";
            kind.signed = ((IntLogicalTypeAnnotation) logical).isSigned();
            kind.facts = ",\"bits\":" + ((IntLogicalTypeAnnotation) logical).getBitWidth() + ",\"signed\":" + kind.signed;
        } else if (logical instanceof DecimalLogicalTypeAnnotation) {
            kind.name = "decimal";
            kind.facts = ",\"precision\":" + ((DecimalLogicalTypeAnnotation) logical).getPrecision()
                    + ",\"scale\":" + ((DecimalLogicalTypeAnnotation) logical).getScale();
        } else if (logical instanceof TimeLogicalTypeAnnotation) {
            TimeLogicalTypeAnnotation time = (TimeLogicalTypeAnnotation) logical;
            kind.name = "time";
            kind.facts = timeFacts(time.getUnit(), time.isAdjustedToUTC());
        } else if (logical instanceof TimestampLogicalTypeAnnotation) {
            TimestampLogicalTypeAnnotation time = (TimestampLogicalTypeAnnotation) logical;
            kind.name = "timestamp";
            kind.facts = timeFacts(time.getUnit(), time.isAdjustedToUTC());
        } else if (logical != null) {
            kind.name = logical.toString().toLowerCase();
            if (kind.name.equals("float16")) {
                kind.name = "float";
                kind.facts = ",\"bits\":16";
            }
        } else {
            physicalKind(type, kind);
        }
        return kind;
    }

    private static void physicalKind(PrimitiveType type, Kind kind) {
        switch (type.getPrimitiveTypeName()) {
            case BOOLEAN:
                kind.name = "bool";
                break;
            case INT32:
            case INT64:
                kind.name = "int";
                kind.facts = ",\"bits\":" + (type.getPrimitiveTypeName().name().substring(3)) + ",\"signed\":true";
                break;
            case FLOAT:
            case DOUBLE:
                kind.name = "float";
                kind.facts = ",\"bits\":" + (type.getPrimitiveTypeName().name().equals("FLOAT") ? 32 : 64);
                break;
            case FIXED_LEN_BYTE_ARRAY:
                kind.name = "binary";
                kind.facts = ",\"length\":" + type.getTypeLength();
                break;
            default:
                kind.name = "binary";
        }
    }

    private static String timeFacts(LogicalTypeAnnotation.TimeUnit unit, boolean utc) {
        String name = unit == LogicalTypeAnnotation.TimeUnit.MILLIS ? "ms"
                : unit == LogicalTypeAnnotation.TimeUnit.MICROS ? "us" : "ns";
        return ",\"unit\":\"" + name + "\",\"utc\":" + utc;
    }

    private static String told(ColumnReader values, PrimitiveType type, Kind kind) {
        switch (type.getPrimitiveTypeName()) {
            case BOOLEAN:
                return values.getBoolean() ? "\"true\"" : "\"false\"";
            case INT32:
                return '"' + (kind.signed ? "" + values.getInteger() : Integer.toUnsignedString(values.getInteger())) + '"';
            case INT64:
                return '"' + (kind.signed ? "" + values.getLong() : Long.toUnsignedString(values.getLong())) + '"';
            case FLOAT:
                float single = values.getFloat();
                return Float.isNaN(single) ? "\"nan\"" : hex(Float.floatToRawIntBits(single), 8);
            case DOUBLE:
                double full = values.getDouble();
                return Double.isNaN(full) ? "\"nan\"" : hex(Double.doubleToRawLongBits(full), 16);
            default:
                return toldBytes(values.getBinary().getBytes(), kind.name);
        }
    }

    private static String toldBytes(byte[] bytes, String kind) {
        switch (kind) {
            case "string":
            case "json":
            case "enum":
                return quoted(new String(bytes, StandardCharsets.UTF_8));
            case "decimal":
                return '"' + new BigInteger(bytes).toString() + '"';
            case "float":
                int half = (bytes[0] & 255) | (bytes[1] & 255) << 8;
                return (half & 0x7fff) > 0x7c00 ? "\"nan\"" : hex(half, 4);
            default:
                char[] hex = new char[bytes.length * 2];
                for (int i = 0; i < bytes.length; i++) {
                    hex[2 * i] = Character.forDigit((bytes[i] >> 4) & 15, 16);
                    hex[2 * i + 1] = Character.forDigit(bytes[i] & 15, 16);
                }
                return '"' + new String(hex) + '"';
        }
    }

    private static String hex(long bits, int digits) {
        char[] text = new char[digits + 2];
        text[0] = text[digits + 1] = '"';
        for (int i = digits; i > 0; i--, bits >>>= 4) text[i] = Character.forDigit((int) bits & 15, 16);
        return new String(text);
    }

    private static String said(Throwable e) {
        StringBuilder text = new StringBuilder(e.toString());
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) text.append(" <- ").append(cause);
        return text.toString();
    }

    private static String quoted(String text) {
        StringBuilder s = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                s.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                s.append(String.format("\\u%04x", (int) c));
            } else {
                s.append(c);
            }
        }
        return s.append('"').toString();
    }
}
