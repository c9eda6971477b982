/**
 * The files of a description in the order in which they are read: persons first, then table by table; and their pieces.
 */
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { type Piece, piecesOf } from './readable.ts'
import type {
  NoticeFiles,
  PersonFiles,
  SourceDescription,
  TableFiles,
} from './source-description.ts'

/** One file: of persons, or of a table. */
export type Source = { name: string; path: string; bytes: number } & (
  | { table: undefined; layout: PersonFiles }
  | { table: string; layout: TableFiles }
)

/** One file of notices. */
export type NoticeSource = { name: string; path: string; bytes: number; layout: NoticeFiles }

/**
 * Every file that a description names, as often as it names it: a table's file may be the persons' file too.
 *
 * @throws {Refusal} `not-found` if a file is not there.
 */
export async function sourcesOf(
  description: SourceDescription,
  sourceDir: string,
): Promise<Source[]> {
  const sources: Source[] = []
  const place = (name: string) => placed(sourceDir, name)
  for (const layout of description.persons)
    for (const name of layout.files)
      sources.push({ ...(await place(name)), table: undefined, layout })
  for (const [table, groups] of Object.entries(description.tables))
    for (const layout of groups)
      for (const name of layout.files) sources.push({ ...(await place(name)), table, layout })
  return sources
}

/** The files of notices that a description names. @throws {Refusal} `not-found` if one is not there. */
export async function noticeSourcesOf(
  { notices }: SourceDescription,
  sourceDir: string,
): Promise<NoticeSource[]> {
  if (notices === undefined) return []
  return Promise.all(
    notices.files.map(async (name) => ({ ...(await placed(sourceDir, name)), layout: notices })),
  )
}

/** The directories that hold the sources. */
export function dirsOf(sources: readonly { path: string }[]): string[] {
  return [...new Set(sources.map(({ path }) => dirname(path)))]
}

/** The pieces of all sources, one after the other. */
export async function* allPieces(
  sources: readonly Source[],
  to: { workDir: string; signal?: AbortSignal },
): AsyncGenerator<{ source: Source; piece: Piece }> {
  for (const source of sources)
    for await (const piece of piecesOf(source, to)) yield { source, piece }
}

/** Pieces that are worked on together: of persons one, of a table one or several. */
export type Batch = [Sourced, ...Sourced[]]
type Sourced = { source: Source; piece: Piece }

/** How many bytes of the sources go into one part, where a file has fewer. */
const batchBytesMax = 256 * 1024 * 1024

/** Small pieces of one table, one after the other, put together: every part costs the service the same again. */
export async function* batchesOf(
  pieces: AsyncIterable<Sourced>,
  bytesMax = batchBytesMax,
): AsyncGenerator<Batch> {
  let batch: Batch | undefined
  let bytes = 0
  for await (const next of pieces) {
    const { table } = next.source
    const isSame = table !== undefined && batch?.[0].source.table === table
    bytes += next.piece.sourceBytes
    if (batch !== undefined && isSame && bytes <= bytesMax) {
      batch.push(next)
      continue
    }
    if (batch !== undefined) yield batch
    batch = [next]
    bytes = next.piece.sourceBytes
  }
  if (batch !== undefined) yield batch
}

async function placed(
  sourceDir: string,
  name: string,
): Promise<{ name: string; path: string; bytes: number }> {
  const path = resolve(sourceDir, name)
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() === true) return { name, path, bytes: found.size }
  throw new Refusal('not-found', 'The source description names a file that is not there.', {
    file: name,
  })
}
