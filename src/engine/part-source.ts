/**
 * A delivered part as something SQL can read: a CSV or Parquet file, its columns known by name and type before a row is
 * read, and every failure of reading it told as a refusal by reason and line.
 */
import { Refusal } from '../core/errors.ts'
import { lineBytesMax } from './csv-bytes.ts'
import { csvFault, csvLinesOf } from './csv-rows.ts'
import { csvHeader, malformed } from './csv-scan.ts'
import { EngineError } from './engine-error.ts'
import { quoteText, type Session } from './session.ts'

/** The two forms in which agencies deliver. */
export type MediaType = 'text/csv' | 'application/vnd.apache.parquet'

const columnsMax = 1_000

/** Types of the engine that say that the file, not the statement, is at fault. */
const faultsOfStatements = new Set(['Parser', 'Binder', 'Catalog', 'Syntax', 'Permission'])

export type PartSource = {
  path: string
  mediaType: MediaType
  /** Column → DuckDB type, in file order. Of a CSV file every type is VARCHAR. */
  columns: ReadonlyMap<string, string>
  /** A from-clause over the columns. */
  sql: string
  /** The same with one column more: `row_number`, from 1 in file order, header and blank lines not counted. */
  numberedSql: string
}

/**
 * Looks at a part without reading its rows.
 *
 * @throws {Refusal} `input-malformed`: not a table of the media type, a column named twice, too many columns.
 */
export async function openPart(
  session: Session,
  path: string,
  mediaType: MediaType,
): Promise<PartSource> {
  return mediaType === 'text/csv' ? await openCsv(path) : await openParquet(session, path)
}

/**
 * Does something that reads a part.
 *
 * @throws {Refusal} `input-malformed` with reason and, for CSV, line when the engine cannot read the part; `disk-full` when
 *   the scratch directory is full.
 */
export async function reading<T>(source: PartSource, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (error.kind === 'disk-full') throw diskFull()
    if (error.kind !== 'other' || faultsOfStatements.has(error.type)) throw error
    if (source.mediaType !== 'text/csv') throw malformedParquet()
    const fault = await csvFault(source.path, source.columns.size)
    throw malformed(fault?.reason ?? 'unreadable', fault?.line ?? error.line)
  }
}

/** Where the given rows (from 1) are to be found: lines of a CSV file, the row numbers themselves of a Parquet file. */
export async function positionsOf(
  source: PartSource,
  rows: readonly number[],
): Promise<Map<number, number>> {
  if (source.mediaType === 'text/csv') return await csvLinesOf(source.path, rows)
  return new Map(rows.map((row) => [row, row]))
}

/** What a job is told when its scratch directory is full. */
export function diskFull(): Refusal {
  return new Refusal('disk-full', 'The scratch space is full. The job will be tried again later.')
}

async function openCsv(path: string): Promise<PartSource> {
  const { names, hasNewlines } = await csvHeader(path)
  requireNames(names)
  const columns = names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')
  // Several readers in one file each guess where a row begins; between quotes, a newline and commas look like one.
  // Nothing is left to the sniffer but the kind of newline: told '\n', the reader finds no row in a file with CRLF.
  const sql = `read_csv(${quoteText(path)}, auto_detect = false, header = true, delim = ',', quote = '"',
    escape = '"', nullstr = '', strict_mode = true, null_padding = false, ignore_errors = false,
    max_line_size = ${2 * lineBytesMax}, parallel = ${!hasNewlines}, columns = {${columns}})`
  return {
    path,
    mediaType: 'text/csv',
    columns: new Map(names.map((name) => [name, 'VARCHAR'])),
    sql,
    numberedSql: `(select *, row_number() over () as row_number from ${sql})`,
  }
}

async function openParquet(session: Session, path: string): Promise<PartSource> {
  const sql = `read_parquet(${quoteText(path)}, binary_as_string = true, hive_partitioning = false)`
  const described = await session
    .rows<{ column_name: string; column_type: string }>(`describe select * from ${sql}`)
    .catch((error: unknown) => {
      throw error instanceof EngineError && error.kind === 'other' ? malformedParquet() : error
    })
  requireNames(described.map((column) => column.column_name))
  return {
    path,
    mediaType: 'application/vnd.apache.parquet',
    columns: new Map(described.map((column) => [column.column_name, column.column_type])),
    sql,
    numberedSql: `(select * exclude (file_row_number), file_row_number + 1 as row_number from
      read_parquet(${quoteText(path)}, binary_as_string = true, hive_partitioning = false,
        file_row_number = true))`,
  }
}

function requireNames(names: readonly string[]): void {
  if (names.length > columnsMax) throw malformed('too many columns', 1)
  const folded = new Set(names.map((name) => name.toLowerCase()))
  if (folded.size !== names.length) throw malformed('a column is named twice', 1)
}

function malformedParquet(): Refusal {
  return new Refusal(
    'input-malformed',
    'The file is not a readable Parquet file. Write it again.',
    {
      reason: 'unreadable',
    },
  )
}
