/**
 * A vectorised scalar function over UUID columns: the bridge between SQL and functions of whole columns of 16-byte numbers.
 *
 * DuckDB stores a UUID as a signed 128-bit number, little-endian, with the top bit flipped so that it sorts as unsigned.
 * The callback sees the canonical order: the bytes as a UUID is printed. DuckDB flattens constant and dictionary vectors
 * before it calls, and calls from the JavaScript thread with at most 2,048 rows at a time.
 */
import { DuckDBScalarFunction, UUID, VARCHAR } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

/** n × 16 or n × 32 bytes in, n × 16 bytes out, in the same order. */
export type OnColumn = (column: Uint8Array) => Uint8Array

/** n × 16 bytes in, n texts out, in the same order. */
export type OnTexts = (column: Uint8Array) => readonly string[]

/**
 * The function `name(uuid)` or `name(uuid, uuid)` → uuid.
 *
 * @param onThrow - told what `onColumn` threw; the engine itself only learns a constant sentence.
 */
export function columnFunction(
  name: string,
  width: 16 | 32,
  onColumn: OnColumn,
  onThrow: (error: unknown) => void,
): DuckDBScalarFunction {
  const scalar = new DuckDBScalarFunction()
  scalar.setReturnType(UUID)
  return completed(scalar, { name, columns: width / 16, onThrow }, (column, output) => {
    const result = column.count === 0 ? new Uint8Array(0) : onColumn(column.bytes)
    if (result.length !== column.count * 16) {
      throw new RangeError('a column function must give 16 bytes a row')
    }
    const stored = toStored(result, column.valid, column.rows)
    duckdb.copy_data_to_vector(output, 0, stored.buffer, 0, stored.byteLength)
    if (column.valid !== undefined) writeValidity(output, column.valid, column.rows)
  })
}

/** The function `name(uuid)` → varchar. */
export function textFunction(
  name: string,
  onTexts: OnTexts,
  onThrow: (error: unknown) => void,
): DuckDBScalarFunction {
  const scalar = new DuckDBScalarFunction()
  scalar.setReturnType(VARCHAR)
  return completed(scalar, { name, columns: 1, onThrow }, (column, output) => {
    const texts = column.count === 0 ? [] : onTexts(column.bytes)
    if (texts.length !== column.count)
      throw new RangeError('a text function must give a text a row')
    texts.forEach((text, index) => {
      duckdb.vector_assign_string_element(output, column.valid?.[index] ?? index, text)
    })
    if (column.valid !== undefined) writeValidity(output, column.valid, column.rows)
  })
}

/** What a callback is given: the rows without a NULL, and which rows of the chunk they are (undefined: all). */
type Column = { bytes: Uint8Array; count: number; valid: Uint32Array | undefined; rows: number }

function completed(
  scalar: DuckDBScalarFunction,
  known: { name: string; columns: number; onThrow: (error: unknown) => void },
  apply: (column: Column, output: duckdb.Vector) => void,
): DuckDBScalarFunction {
  scalar.setName(known.name)
  for (let column = 0; column < known.columns; column++) scalar.addParameter(UUID)
  scalar.setSpecialHandling() // NULL is handled here, not by skipping the call.
  duckdb.scalar_function_set_function(scalar.scalar_function, (_info, input, output) => {
    try {
      const rows = duckdb.data_chunk_get_size(input)
      if (rows > 0) apply(columnOf(input, rows, known.columns), output)
    } catch (error) {
      known.onThrow(error)
      throw new Error('a column function failed')
    }
  })
  return scalar
}

function columnOf(input: duckdb.DataChunk, rows: number, columns: number): Column {
  const vectors = Array.from({ length: columns }, (_, column) =>
    duckdb.data_chunk_get_vector(input, column),
  )
  const valid = validRows(vectors, rows)
  const count = valid === undefined ? rows : valid.length
  const words = new Uint32Array(count * columns * 4)
  vectors.forEach((vector, column) => {
    toCanonical(wordsOf(vector, rows), valid, { words, stride: columns * 4, offset: column * 4 })
  })
  return { bytes: new Uint8Array(words.buffer), count, valid, rows }
}

/** The rows where no argument is NULL, or undefined when that is all of them. */
function validRows(vectors: readonly duckdb.Vector[], rows: number): Uint32Array | undefined {
  const bytes = Math.ceil(rows / 64) * 8
  const masks = vectors
    .map((vector) => duckdb.vector_get_validity(vector, bytes) as Uint8Array | null)
    .filter((mask) => mask !== null)
  if (masks.length === 0) return undefined
  const valid = new Uint32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) {
    const bit = 1 << (row & 7)
    if (masks.every((mask) => ((mask[row >> 3] ?? 0) & bit) !== 0)) valid[count++] = row
  }
  return count === rows ? undefined : valid.subarray(0, count)
}

function wordsOf(vector: duckdb.Vector, rows: number): Uint32Array {
  const bytes = duckdb.vector_get_data(vector, rows * 16)
  return new Uint32Array(bytes.buffer, bytes.byteOffset, rows * 4)
}

type Canonical = { words: Uint32Array; stride: number; offset: number }

function toCanonical(
  stored: Uint32Array,
  valid: Uint32Array | undefined,
  { words, stride, offset }: Canonical,
): void {
  const count = words.length / stride
  for (let index = 0; index < count; index++) {
    const from = (valid === undefined ? index : (valid[index] ?? 0)) * 4
    const to = index * stride + offset
    words[to] = swapped(stored[from + 3] ?? 0) ^ 0x80 // Byte 0 of the printed form carries the flipped bit.
    words[to + 1] = swapped(stored[from + 2] ?? 0)
    words[to + 2] = swapped(stored[from + 1] ?? 0)
    words[to + 3] = swapped(stored[from] ?? 0)
  }
}

function toStored(
  result: Uint8Array,
  valid: Uint32Array | undefined,
  rows: number,
): Uint32Array<ArrayBuffer> {
  const aligned = result.byteOffset % 4 === 0 ? result : Uint8Array.from(result)
  const canonical = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
  const stored = new Uint32Array(rows * 4)
  const count = canonical.length / 4
  for (let index = 0; index < count; index++) {
    const from = index * 4
    const to = (valid === undefined ? index : (valid[index] ?? 0)) * 4
    stored[to] = swapped(canonical[from + 3] ?? 0)
    stored[to + 1] = swapped(canonical[from + 2] ?? 0)
    stored[to + 2] = swapped(canonical[from + 1] ?? 0)
    stored[to + 3] = swapped((canonical[from] ?? 0) ^ 0x80)
  }
  return stored
}

function writeValidity(output: duckdb.Vector, valid: Uint32Array, rows: number): void {
  const mask = new Uint8Array(Math.ceil(rows / 64) * 8)
  for (const row of valid) mask[row >> 3] = (mask[row >> 3] ?? 0) | (1 << (row & 7))
  duckdb.vector_ensure_validity_writable(output)
  duckdb.copy_data_to_vector_validity(output, 0, mask.buffer, 0, mask.byteLength)
}

function swapped(word: number): number {
  return (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)
}
