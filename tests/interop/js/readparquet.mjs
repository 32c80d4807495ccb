/* Reads Parquet files with hyparquet and prints every value in the canonical form of interop_values.py.
 *
 * Argument: a file that lists the files, one path per line. One JSON object per line goes to standard output. Each
 * column is read on its own, so that the failure of one is not that of its neighbours.
 *
 * By default hyparquet makes Dates of dates and timestamps, which hold milliseconds, and text of all byte arrays. Its
 * own options keep what the file holds: `parsers` hand over the integers, `utf8: false` the bytes.
 */
import { readFileSync, writeSync } from 'node:fs'
import { parquetMetadata, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const same = v => v
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const text = bytes => bytes && utf8.decode(bytes)
const parsers = {
  timestampFromMilliseconds: same,
  timestampFromMicroseconds: same,
  timestampFromNanoseconds: same,
  dateFromDays: same,
  stringFromBytes: text,
  jsonFromBytes: text,
}

const hex = bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
const scratch = new DataView(new ArrayBuffer(8))
const FLOAT = {
  // hyparquet hands over a number: bits of a half are made here, exact for every value that a half can be.
  16: v => {
    scratch.setFloat32(0, v)
    const bits = scratch.getUint32(0), sign = bits >>> 16 & 0x8000, magnitude = Math.abs(v)
    if (Math.fround(v) !== v) throw new Error(`${v} is not a half`)
    if (magnitude < 2 ** -14) return sign | magnitude * 2 ** 24
    if (magnitude === Infinity) return sign | 0x7c00
    return sign | (bits >>> 13 & 0x3ffff) - (112 << 10) & 0x7fff
  },
  32: v => {
    scratch.setFloat32(0, v)
    return scratch.getUint32(0)
  },
  64: v => {
    scratch.setFloat64(0, v)
    return scratch.getBigUint64(0)
  },
}

/* Number or bigint as a decimal string; -0 is an error of the reader. */
function whole(v) {
  if (typeof v !== 'bigint' && !Number.isSafeInteger(v)) throw new Error(`not an integer: ${typeof v} ${v}`)
  return v.toString()
}

function bytes(v) {
  if (!(v instanceof Uint8Array)) throw new Error(`not bytes: ${typeof v} ${v}`)
  return hex(v)
}

function string(v) {
  if (typeof v !== 'string') throw new Error(`not a string: ${typeof v} ${v}`)
  return v
}

function bool(v) {
  if (typeof v !== 'boolean') throw new Error(`not a boolean: ${typeof v} ${v}`)
  return String(v)
}

const UNIT = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' }

/* [facts of the column, how its values are told] */
function describe(element) {
  const { type, type_length, logical_type: logical, converted_type: converted } = element
  const float = bits => [
    { kind: 'float', bits },
    v => Number.isNaN(v) ? 'nan' : FLOAT[bits](v).toString(16).padStart(bits / 4, '0'),
  ]
  switch (logical?.type ?? converted) {
    case 'INTEGER':
      return [{ kind: 'int', bits: logical.bitWidth, signed: logical.isSigned }, whole]
    case 'DECIMAL':
      return [{ kind: 'decimal_as_double', precision: element.precision, scale: element.scale ?? 0 }, v => float(64)[1](v)]
    case 'DATE':
      return [{ kind: 'date' }, whole]
    case 'TIME':
    case 'TIMESTAMP':
      return [{ kind: logical.type.toLowerCase(), unit: UNIT[logical.unit], utc: logical.isAdjustedToUTC }, whole]
    case 'STRING':
    case 'UTF8':
      return [{ kind: 'string' }, string]
    case 'JSON':
      return [{ kind: 'json' }, string]
    case 'ENUM':
      return [{ kind: 'enum' }, v => utf8.decode(v)]
    case 'BSON':
      return [{ kind: 'bson' }, bytes]
    case 'UUID':
      return [{ kind: 'uuid' }, v => string(v).replaceAll('-', '')]
    case 'FLOAT16':
      return float(16)
  }
  switch (type) {
    case 'BOOLEAN':
      return [{ kind: 'bool' }, bool]
    case 'INT32':
      return [{ kind: 'int', bits: 32, signed: true }, whole]
    case 'INT64':
      return [{ kind: 'int', bits: 64, signed: true }, whole]
    case 'FLOAT':
      return float(32)
    case 'DOUBLE':
      return float(64)
    case 'FIXED_LEN_BYTE_ARRAY':
      return [{ kind: 'binary', length: type_length }, bytes]
    default:
      return [{ kind: 'binary' }, bytes]
  }
}

async function readColumn(file, metadata, element) {
  const [facts, tell] = describe(element)
  const values = []
  await parquetRead({
    file, metadata, columns: [element.name], compressors, parsers, utf8: false,
    onComplete: rows => {
      for (const [v] of rows) values.push(v === undefined || v === null ? null : tell(v))
    },
  })
  return { ...facts, values }
}

function print(object) {
  const line = Buffer.from(JSON.stringify(object) + '\n')
  for (let at = 0; at < line.length;) at += writeSync(1, line, at)
}

const own = JSON.parse(readFileSync(new URL('node_modules/hyparquet/package.json', import.meta.url), 'utf8'))
print({ reader: 'hyparquet', version: own.version })
for (const path of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const result = { file: path }
  try {
    const whole = readFileSync(path)
    const buffer = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength)
    const metadata = parquetMetadata(buffer)
    const file = { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) }
    result.columns = {}
    for (const element of metadata.schema.slice(1)) {
      try {
        result.columns[element.name] = await readColumn(file, metadata, element)
      } catch (e) {
        result.columns[element.name] = { error: String(e) }
      }
    }
  } catch (e) {
    result.error = String(e)
  }
  print(result)
}
