/**
 * Counting inside a statement that writes: `case when <good> then true else name(<code>) end` as the filter of a copy keeps
 * the good rows and tallies the others by code, in the one pass that reads them. A branch of a case runs on the rows that
 * reach it only, so a file without faults never calls.
 */
import { BOOLEAN, DuckDBScalarFunction, INTEGER } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

/** Code → rows. */
export type Tally = Map<number, number>

/** The function `name(integer)` → false, which adds one to the tally of its argument. */
export function tallyFunction(name: string, tally: Tally): DuckDBScalarFunction {
  const scalar = new DuckDBScalarFunction()
  scalar.setName(name)
  scalar.addParameter(INTEGER)
  scalar.setReturnType(BOOLEAN)
  scalar.setSpecialHandling()
  scalar.setVolatile() // Its effect is the point: it may be neither folded, moved nor called twice.
  duckdb.scalar_function_set_function(scalar.scalar_function, (_info, input, output) => {
    const rows = duckdb.data_chunk_get_size(input)
    if (rows === 0) return
    const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(input, 0), rows * 4)
    for (const code of new Int32Array(bytes.buffer, bytes.byteOffset, rows)) {
      tally.set(code, (tally.get(code) ?? 0) + 1)
    }
    duckdb.copy_data_to_vector(output, 0, new ArrayBuffer(rows), 0, rows)
  })
  return scalar
}
