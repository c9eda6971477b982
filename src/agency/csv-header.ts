/**
 * The first line of a CSV file: the names of its columns. Read here and not by DuckDB's sniffer, which guesses.
 */
import { open } from 'node:fs/promises'
import iconv from 'iconv-lite'
import { Refusal } from '../core/errors.ts'

export type CsvHeader = { columns: readonly string[] }

const headerBytesMax = 1024 * 1024

/**
 * The columns of a file in order: from its first line, or from the description where the file has no such line. A column
 * without a name is called `#` and its position.
 *
 * @throws {Refusal} `input-malformed` if the line is longer than 1 MiB, has more than 10,000 columns, or a name twice.
 */
export async function headerOf(
  path: string,
  name: string,
  layout: { encoding: 'utf-8' | 'cp949'; delimiter: string; header?: string[] | undefined },
): Promise<CsvHeader> {
  const cells = layout.header ?? (await firstCells(path, name, layout))
  const columns = cells.map((cell, index) => cell.trim() || `#${index + 1}`)
  // DuckDB takes names that differ only in case for the same.
  const names = new Set(columns.map((column) => column.toLowerCase()))
  if (columns.length > 10_000 || names.size < columns.length) {
    const sentence = 'The header line names a column twice or has more than 10,000 columns.'
    throw new Refusal('input-malformed', sentence, { file: name, line: 1 })
  }
  return { columns }
}

async function firstCells(
  path: string,
  name: string,
  { encoding, delimiter }: { encoding: 'utf-8' | 'cp949'; delimiter: string },
): Promise<string[]> {
  await using file = await open(path, 'r')
  const buffer = Buffer.alloc(headerBytesMax)
  const { bytesRead } = await file.read(buffer, 0, headerBytesMax, 0)
  const end = endOfFirstRow(buffer.subarray(0, bytesRead))
  if (end < 0 && bytesRead === headerBytesMax) {
    throw new Refusal('input-malformed', 'The header line is longer than 1 MiB.', {
      file: name,
      line: 1,
    })
  }
  const bytes = buffer.subarray(0, end < 0 ? bytesRead : end)
  return cellsOf(iconv.decode(bytes, encoding), delimiter)
}

function endOfFirstRow(bytes: Uint8Array): number {
  let isQuoted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === 0x22) isQuoted = !isQuoted
    else if ((byte === 0x0a || byte === 0x0d) && !isQuoted) return at
  }
  return -1
}

function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let cell = ''
  let isQuoted = false
  for (let at = 0; at < line.length; ) {
    if (line[at] === '"') {
      const isEscaped = isQuoted && line[at + 1] === '"'
      if (isEscaped) cell += '"'
      else isQuoted = !isQuoted
      at += isEscaped ? 2 : 1
    } else if (!isQuoted && line.startsWith(delimiter, at)) {
      cells.push(cell)
      cell = ''
      at += delimiter.length
    } else cell += line[at++]
  }
  return [...cells, cell]
}
