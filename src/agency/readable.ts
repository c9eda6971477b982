/**
 * Turns a described source file into pieces that DuckDB can read: whole where it can be (UTF-8, or CP949 that is all ASCII),
 * else decoded piece by piece into a private directory, so that a file of any size takes the same room. While one piece is
 * being worked on the next is made ready.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { quoteText } from '../engine/session.ts'
import { decodeCp949 } from './cp949.ts'
import { type CsvHeader, headerOf } from './csv-header.ts'
import { PieceWriter, type WrittenPiece } from './piece-writer.ts'
import { chunksOf, lineAt, lookAt } from './source-bytes.ts'

/** What every group of files of a description has. */
export type FileLayout = {
  format: 'csv' | 'parquet'
  encoding: 'utf-8' | 'cp949'
  delimiter: string
  header?: string[] | undefined
}

/** Something DuckDB can read, with what is needed to name a place in the source. */
export type Piece = {
  /** As the description names it. */
  file: string
  path: string
  /** SQL that reads it, every column as text. */
  relation: string
  columns: readonly string[]
  format: 'csv' | 'parquet'
  hasHeader: boolean
  /** Lines of the source before the first row of this piece, so that a row can be named by its line. */
  linesBefore: number
  /** How many bytes of the source it is, for telling progress. */
  sourceBytes: number
  /** Removes what was made for it. */
  release(): Promise<void>
}

const pieceBytesUsual = 256 * 1024 * 1024

/** Where pieces are made, and from how many bytes on one is cut. */
export type PieceMaking = { workDir: string; signal?: AbortSignal; pieceBytes?: number }

/** The pieces of one file, in order. Release each after use. */
export async function* piecesOf(
  source: { name: string; path: string; bytes: number; layout: FileLayout },
  making: PieceMaking,
): AsyncGenerator<Piece> {
  const { signal } = making
  const { name, path, layout } = source
  if (layout.format === 'parquet') {
    yield parquetPiece(name, path, source.bytes)
    return
  }
  const looked = await lookAt(path, { name, encoding: layout.encoding, ...(signal && { signal }) })
  const header = await headerOf(path, name, layout)
  if (layout.encoding === 'utf-8' || looked.isAscii) {
    const csv = { name, path, delimiter: layout.delimiter, header, bytes: looked.bytes }
    yield csvPiece(csv, { skipHeader: layout.header === undefined, linesBefore: 0 })
    return
  }
  yield* decodedPieces({ name, path, delimiter: layout.delimiter, header }, layout, making)
}

/** The same items, with the next one already under way while one is used. Closes the source whatever happens. */
export async function* oneAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done) return
      next = source.next()
      next.catch(() => {}) // Awaited in the next turn; it must not count as unhandled until then.
      yield value
    }
  } finally {
    await next.catch(() => {})
    await source.return(undefined)
  }
}

type Csv = { name: string; path: string; delimiter: string; header: CsvHeader; bytes: number }

function csvPiece(
  { name, path, delimiter, header, bytes }: Csv,
  { skipHeader, linesBefore }: { skipHeader: boolean; linesBefore: number },
): Piece {
  // Never `parallel = false`: with it DuckDB 1.5 ends the file at a quote that stays open, and says nothing.
  const types = header.columns.map((column) => `${quoteText(column)}: 'VARCHAR'`).join(', ')
  const options = [
    `columns = {${types}}`,
    `header = ${skipHeader}`,
    `delim = ${quoteText(delimiter)}`,
    `quote = '"', escape = '"', nullstr = ''`,
    'auto_detect = false, strict_mode = true, null_padding = false',
    `buffer_size = ${8 * 1024 * 1024}, max_line_size = ${2 * 1024 * 1024}`,
  ].join(', ')
  return {
    file: name,
    path,
    relation: `read_csv(${quoteText(path)}, ${options})`,
    columns: header.columns,
    format: 'csv',
    hasHeader: skipHeader,
    linesBefore: linesBefore + (skipHeader ? 1 : 0),
    sourceBytes: bytes,
    release: async () => {},
  }
}

function parquetPiece(name: string, path: string, bytes: number): Piece {
  const relation = `(select columns(*)::varchar from read_parquet(${quoteText(path)}))`
  return {
    file: name,
    path,
    relation,
    columns: [], // Asked of DuckDB where needed.
    format: 'parquet',
    hasHeader: false,
    linesBefore: 0,
    sourceBytes: bytes,
    release: async () => {},
  }
}

async function* decodedPieces(
  csv: Omit<Csv, 'bytes'>,
  layout: FileLayout,
  { workDir, signal, pieceBytes = pieceBytesUsual }: PieceMaking,
): AsyncGenerator<Piece> {
  const writer = new PieceWriter(join(workDir, 'decoded'))
  let linesBefore = 0
  const finished = async (): Promise<Piece[]> => {
    const written = await writer.end()
    if (written === undefined) return []
    const piece = pieceOf(csv, layout, { written, linesBefore })
    linesBefore += written.lines
    return [piece]
  }
  try {
    for await (const text of decodedText(csv, signal)) {
      const end = writer.bytes > pieceBytes ? writer.endOfRow(text) : -1
      await writer.write(end < 0 ? text : text.subarray(0, end))
      if (end < 0) continue
      yield* await finished()
      await writer.write(text.subarray(end))
    }
    yield* await finished()
  } finally {
    await writer.end()
  }
}

/** The text of a CP949 file as UTF-8, chunk by chunk of one reused buffer. */
async function* decodedText(
  csv: { name: string; path: string },
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let kept = Buffer.alloc(0)
  let offset = 0
  const output = Buffer.allocUnsafeSlow(8 * 1024 * 1024) // 4 MiB of input become at most 6.
  for await (const chunk of chunksOf(csv.path, false, signal)) {
    const input = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    const { written, used, isValid } = decodeCp949(input, output)
    if (!isValid) throw await badBytes(csv, offset + used)
    kept = Buffer.from(input.subarray(used))
    offset += used
    yield output.subarray(0, written)
  }
  if (kept.length > 0) throw await badBytes(csv, offset)
}

function pieceOf(
  csv: Omit<Csv, 'bytes'>,
  layout: FileLayout,
  { written, linesBefore }: { written: WrittenPiece; linesBefore: number },
): Piece {
  const skipHeader = linesBefore === 0 && layout.header === undefined
  const source = { ...csv, path: written.path, bytes: written.bytes }
  const piece = csvPiece(source, { skipHeader, linesBefore })
  return { ...piece, release: () => rm(written.path, { force: true }) }
}

async function badBytes(csv: { name: string; path: string }, offset: number): Promise<Refusal> {
  return new Refusal(
    'input-malformed',
    'The file has bytes that are not CP949. State its encoding in the source description.',
    { file: csv.name, line: await lineAt(csv.path, offset) },
  )
}
