/**
 * Why DuckDB could not take a piece of a source: the file and the line, found by reading the piece again in order. What
 * DuckDB itself says quotes the row, so none of it is passed on.
 */
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { EngineError } from '../engine/engine-error.ts'
import { quoteIdentifier } from '../engine/session.ts'
import type { Piece } from './readable.ts'
import { type AgencySession, openAgencySession } from './session.ts'

/** Where a registration number was looked for: the columns of the file. */
export type Searched = { isNumber: (column: string) => string; columns: readonly string[] }

/**
 * What to throw instead of `error`: a refusal that names file and line if a row is to blame, else what the engine threw.
 *
 * @returns `disk-full`, `identifier-in-payload`, `input-malformed`, or `error` itself.
 */
export async function explained(
  error: unknown,
  piece: Piece,
  { workDir, dirs, searched }: { workDir: string; dirs: readonly string[]; searched?: Searched },
): Promise<unknown> {
  if (!(error instanceof EngineError)) return error
  if (error.kind === 'disk-full')
    return new Refusal('disk-full', 'There is no room left. Free some and start again.')
  if (error.kind !== 'other') return error
  const session = await openAgencySession({
    workDir: join(workDir, 'again'),
    dirs: [workDir, ...dirs],
    memoryMiB: 400,
    threads: 1,
    keepsOrder: true,
  })
  try {
    const malformed = await malformedRow(session, piece, error)
    if (malformed !== undefined) return malformed
    return searched === undefined ? error : ((await numberFound(session, piece, searched)) ?? error)
  } finally {
    session.close()
  }
}

const sentences: Record<string, string> = {
  'MISSING COLUMNS': 'A row has fewer cells than the header line. Correct the export.',
  'TOO MANY COLUMNS': 'A row has more cells than the header line. Correct the export.',
  'UNQUOTED VALUE': 'A quoted cell does not end. Correct the export.',
  'LINE SIZE OVER MAXIMUM': 'A line is longer than 2 MiB. Correct the export.',
  'INVALID ENCODING': 'A row is not UTF-8. State the encoding in the source description.',
}

async function malformedRow(
  session: AgencySession,
  piece: Piece,
  error: EngineError,
): Promise<Refusal | undefined> {
  if (piece.format !== 'csv') return undefined
  const columns = piece.columns.map((column) => `max(${quoteIdentifier(column)})`).join(', ')
  const scanError = (relation: string) =>
    session.run(`select ${columns} from ${relation}`).catch((again: unknown) => again)
  const found = await scanError(piece.relation)
  if (!(found instanceof EngineError)) return undefined
  const rejecting = piece.relation.replace(/\)$/, ', store_rejects = true, rejects_limit = 1000)')
  const [row] =
    (await scanError(rejecting)) instanceof EngineError
      ? []
      : await session.rows(`select line::integer as line, error_type::varchar as kind
          from reject_errors order by line limit 1`)
  if (row !== undefined) {
    const sentence = sentences[String(row['kind'])] ?? unreadable
    return refusal(piece, sentence, Number(row['line']))
  }
  return refusal(piece, unreadable, found.line ?? error.line)
}

const unreadable = 'A row cannot be read as CSV. Check its quotes, and that all lines end alike.'

function refusal(piece: Piece, sentence: string, line: number | undefined): Refusal {
  // A decoded piece counts its own lines; a header line is already part of what it counts.
  const before = piece.linesBefore - (piece.hasHeader ? 1 : 0)
  return new Refusal('input-malformed', sentence, {
    file: piece.file,
    ...(line === undefined ? {} : { line: before + line }),
  })
}

/** The first row in which a searched column holds a registration number. */
async function numberFound(
  session: AgencySession,
  piece: Piece,
  { isNumber, columns }: Searched,
): Promise<Refusal | undefined> {
  const which = columns
    .map((column, index) => `when ${isNumber(quoteIdentifier(column))} then ${index}`)
    .join(' ')
  const text = `concat_ws('', ${piece.columns.map(quoteIdentifier).join(', ') || 'null'})`
  const breaks = `strlen(${text}) - strlen(replace(${text}, chr(10), ''))`
  const found = `select row_number() over () as row, case ${which} end as hit,
    sum(${breaks}) over (rows between unbounded preceding and 1 preceding) as breaks from ${piece.relation}`
  const [row] = await session.rows(
    `select row::integer as row, hit::integer as hit, coalesce(breaks, 0)::integer as breaks
     from (${found}) where hit is not null order by row limit 1`,
  )
  if (row === undefined) return undefined
  const sentence =
    'A column of the payload holds what looks like a registration number. Take it out, or list the column as notIdentifying.'
  const line = piece.linesBefore + Number(row['row']) + Number(row['breaks'])
  const column = columns[Number(row['hit'])] ?? ''
  return new Refusal('identifier-in-payload', sentence, { file: piece.file, line, column })
}
