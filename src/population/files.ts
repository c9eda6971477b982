import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import iconv from 'iconv-lite'
import { quoteText, type Session } from '../engine/session.ts'
import type { PopulationOptions } from './settings.ts'

/** How one agency writes its CSV files. */
export type Dialect = { encoding: 'utf-8' | 'cp949'; lineEnd: '\n' | '\r\n' }

/** Writes the files of one population and remembers what it wrote. */
export type FileWriter = {
  /**
   * The result of a query as a CSV with a header. `isAscii` promises that no value needs the
   * agency's encoding.
   */
  csv(file: string, query: string, dialect: Dialect, isAscii?: boolean): Promise<number>
  parquet(file: string, query: string): Promise<number>
  json(file: string, document: unknown): Promise<void>
  /**
   * Waits for what is still being transcoded. The files in the order written, relative to the
   * directory.
   */
  finish(): Promise<{ files: string[]; rows: number }>
}

/**
 * DuckDB writes UTF-8 with line feeds. What an agency writes otherwise is transcoded in a stream
 * while the next file is being made: one at a time, so that memory and disk stay bounded.
 */
export function openFileWriter(
  session: Session,
  options: Pick<PopulationOptions, 'outDir' | 'onProgress'>,
): FileWriter {
  const files: string[] = []
  let rowsSoFar = 0
  let transcoding: Promise<void> = Promise.resolve()
  const copy = async (query: string, path: string, format: string): Promise<number> => {
    await mkdir(dirname(path), { recursive: true })
    const [done] = await session.rows<{ Count: number }>(
      `copy (${query}) to ${quoteText(path)} (${format})`,
    )
    return done?.Count ?? 0
  }
  const written = (file: string, rows: number): number => {
    files.push(file)
    rowsSoFar += rows
    options.onProgress?.({ file, rows, rowsSoFar })
    return rows
  }
  return {
    csv: async (file, query, dialect, isAscii = false) => {
      const path = join(options.outDir, file)
      const isDone = dialect.lineEnd === '\n' && (isAscii || dialect.encoding === 'utf-8')
      const first = isDone ? path : `${path}.utf8`
      const rows = await copy(query, first, "format csv, header, delimiter ','")
      await transcoding
      // The promise is awaited at the next file or at the end; marked as handled until then.
      if (!isDone) transcoding = transcode(first, path, dialect)
      transcoding.catch(() => undefined)
      return written(file, rows)
    },
    parquet: async (file, query) =>
      written(file, await copy(query, join(options.outDir, file), 'format parquet')),
    json: async (file, document) => {
      const path = join(options.outDir, file)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${JSON.stringify(document, null, 2)}\n`)
      written(file, 0)
    },
    finish: async () => {
      await transcoding
      return { files, rows: rowsSoFar }
    },
  }
}

async function transcode(from: string, to: string, dialect: Dialect): Promise<void> {
  await pipeline(
    createReadStream(from, { encoding: 'utf8', highWaterMark: 1 << 20 }),
    async function* (chunks: AsyncIterable<string>) {
      for await (const chunk of chunks) {
        const lines = dialect.lineEnd === '\n' ? chunk : chunk.replaceAll('\n', '\r\n')
        yield iconv.encode(lines, dialect.encoding)
      }
    },
    createWriteStream(to),
  )
  await rm(from)
}
