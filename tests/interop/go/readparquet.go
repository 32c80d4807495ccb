// Reads Parquet files with parquet-go and prints every value in the canonical form of interop_values.py.
//
// Argument: a file that lists the files, one path per line. One JSON object per line goes to standard output. Each
// column is read on its own, so that the failure of one is not that of its neighbours. parquet-go checks the checksums
// of pages by itself.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

type column struct {
	Kind      string    `json:"kind,omitempty"`
	Bits      int       `json:"bits,omitempty"`
	Signed    *bool     `json:"signed,omitempty"`
	Length    int       `json:"length,omitempty"`
	Precision int       `json:"precision,omitempty"`
	Scale     *int      `json:"scale,omitempty"`
	Unit      string    `json:"unit,omitempty"`
	UTC       *bool     `json:"utc,omitempty"`
	Values    []*string `json:"values"`
	Error     string    `json:"error,omitempty"`
}

type result struct {
	Reader  string             `json:"reader,omitempty"`
	Version string             `json:"version,omitempty"`
	File    string             `json:"file,omitempty"`
	Columns map[string]*column `json:"columns,omitempty"`
	Error   string             `json:"error,omitempty"`
}

func main() {
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buffered := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer buffered.Flush()
	out := json.NewEncoder(buffered)
	out.SetEscapeHTML(false)

	print := func(r result) {
		if err := out.Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	print(result{Reader: "parquet-go", Version: version()})
	for _, path := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		r := result{File: path}
		columns, err := readFile(path)
		if err != nil {
			r.Error = err.Error()
		}
		r.Columns = columns
		print(r)
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/parquet-go/parquet-go" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "unknown"
}

// guarded turns a panic of the library into an error: that, too, is what its users would see.
func guarded(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}

func readFile(path string) (columns map[string]*column, err error) {
	defer guarded(&err)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, err
	}
	columns = map[string]*column{}
	for i, leaf := range file.Root().Columns() {
		c := &column{}
		columns[leaf.Name()] = c
		if err := readColumn(file, leaf, i, c); err != nil {
			*c = column{Error: err.Error()}
		}
	}
	return columns, nil
}

func readColumn(file *parquet.File, leaf *parquet.Column, index int, c *column) (err error) {
	defer guarded(&err)
	tell := describe(leaf.Type(), c)
	c.Values = make([]*string, 0, file.NumRows())
	for _, group := range file.RowGroups() {
		if err := readChunk(group.ColumnChunks()[index], tell, c); err != nil {
			return err
		}
	}
	return nil
}

func readChunk(chunk parquet.ColumnChunk, tell func(parquet.Value) string, c *column) error {
	pages := chunk.Pages()
	defer pages.Close()
	values := make([]parquet.Value, 1000)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for _, v := range values[:n] {
				if v.IsNull() {
					c.Values = append(c.Values, nil)
				} else {
					s := tell(v)
					c.Values = append(c.Values, &s)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

// describe says what the column holds, and how its values are told.
func describe(t parquet.Type, c *column) func(parquet.Value) string {
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.IntType:
			c.Kind, c.Bits, c.Signed = "int", int(l.BitWidth), &l.IsSigned
			if !l.IsSigned {
				return tellUnsigned
			}
			return tellInt
		case *format.DecimalType:
			scale := int(l.Scale)
			c.Kind, c.Precision, c.Scale = "decimal", int(l.Precision), &scale
			if t.Kind() == parquet.FixedLenByteArray || t.Kind() == parquet.ByteArray {
				return tellBigEndian
			}
			return tellInt
		case *format.DateType:
			c.Kind = "date"
			return tellInt
		case *format.TimeType:
			c.Kind, c.Unit, c.UTC = "time", unit(l.Unit), &l.IsAdjustedToUTC
			return tellInt
		case *format.TimestampType:
			c.Kind, c.Unit, c.UTC = "timestamp", unit(l.Unit), &l.IsAdjustedToUTC
			return tellInt
		case *format.StringType, *format.JsonType, *format.EnumType:
			c.Kind = strings.ToLower(logical.String())
			return func(v parquet.Value) string { return string(v.ByteArray()) }
		case *format.BsonType, *format.UUIDType:
			c.Kind = strings.ToLower(logical.String())
			return tellBytes
		case *format.Float16Type:
			c.Kind, c.Bits = "float", 16
			return tellHalf
		default:
			c.Kind = strings.ToLower(logical.String())
			return tellBytes
		}
	}
	signed := true
	switch t.Kind() {
	case parquet.Boolean:
		c.Kind = "bool"
		return func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) }
	case parquet.Int32:
		c.Kind, c.Bits, c.Signed = "int", 32, &signed
		return tellInt
	case parquet.Int64:
		c.Kind, c.Bits, c.Signed = "int", 64, &signed
		return tellInt
	case parquet.Float:
		c.Kind, c.Bits = "float", 32
		return func(v parquet.Value) string {
			if f := v.Float(); f == f {
				return fmt.Sprintf("%08x", math.Float32bits(f))
			}
			return "nan"
		}
	case parquet.Double:
		c.Kind, c.Bits = "float", 64
		return func(v parquet.Value) string {
			if f := v.Double(); f == f {
				return fmt.Sprintf("%016x", math.Float64bits(f))
			}
			return "nan"
		}
	case parquet.FixedLenByteArray:
		c.Kind, c.Length = "binary", t.Length()
		return tellBytes
	default:
		c.Kind = "binary"
		return tellBytes
	}
}

func unit(u format.TimeUnit) string {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return "ms"
	case *format.MicroSeconds:
		return "us"
	default:
		return "ns"
	}
}

func tellInt(v parquet.Value) string {
	if v.Kind() == parquet.Int32 {
		return strconv.FormatInt(int64(v.Int32()), 10)
	}
	return strconv.FormatInt(v.Int64(), 10)
}

func tellUnsigned(v parquet.Value) string {
	if v.Kind() == parquet.Int32 {
		return strconv.FormatUint(uint64(v.Uint32()), 10)
	}
	return strconv.FormatUint(v.Uint64(), 10)
}

func tellBytes(v parquet.Value) string { return hex.EncodeToString(v.ByteArray()) }

func tellBigEndian(v parquet.Value) string {
	b := v.ByteArray()
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n.String()
}

func tellHalf(v parquet.Value) string {
	b := v.ByteArray()
	half := uint16(b[0]) | uint16(b[1])<<8
	if half&0x7fff > 0x7c00 {
		return "nan"
	}
	return fmt.Sprintf("%04x", half)
}
