/**
 * What DuckDB's CSV reader does not see, seen in the bytes before it reads. It takes a NUL for a character and guesses at a
 * header; with several readers it mistakes a cell that looks like rows for rows, and with one it drops, without a word, a
 * last row whose quote is never closed.
 *
 * The form is RFC 4180 in UTF-8: comma, double quotes, LF or CRLF (one of them throughout), a byte order mark and blank
 * lines ignored, the last newline optional.
 */
import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'
import { blocksOf, carriageReturn, comma, lineBytesMax, newline, quote } from './csv-bytes.ts'

const headerBytesMax = 65_536
/** The last of its three bytes. */
const byteOrderMark = 0xbf

/**
 * The column names of a CSV file, in file order, and whether a cell of it holds a newline, after the whole file was searched
 * for NULs, endless lines and a quote that is never closed.
 *
 * @throws {Refusal} `input-malformed` with the line.
 */
export async function csvHeader(path: string): Promise<{ names: string[]; hasNewlines: boolean }> {
  const hasNewlines = await refuseUnreadable(path)
  const file = await open(path)
  try {
    const head = Buffer.alloc(headerBytesMax)
    const { bytesRead } = await file.read(head, 0, headerBytesMax, 0)
    return { names: namesOf(head.subarray(0, bytesRead)), hasNewlines }
  } finally {
    await file.close()
  }
}

async function refuseUnreadable(path: string): Promise<boolean> {
  const quotes: Quotes = {
    opened: -1,
    began: -1,
    closed: -1,
    previous: newline,
    hasNewlines: false,
  }
  let offset = 0
  let lineStart = 0
  for await (const block of blocksOf(path)) {
    const nul = block.indexOf(0)
    if (nul >= 0) throw malformed('NUL', await lineAt(path, offset + nul))
    const first = block.indexOf(newline)
    if (offset + (first < 0 ? block.length : first) - lineStart > lineBytesMax) {
      throw malformed('line too long', await lineAt(path, lineStart))
    }
    if (first >= 0) lineStart = offset + block.lastIndexOf(newline) + 1
    follow(quotes, block, offset)
    offset += block.length
  }
  if (quotes.opened >= 0) throw malformed('quote not closed', await lineAt(path, quotes.opened))
  return quotes.hasNewlines
}

type Quotes = {
  /** Where the cell between quotes began that we are in, or -1. */
  opened: number
  /** Where the last one began, and the quote that closed it. */
  began: number
  closed: number
  /** The byte before. */
  previous: number
  hasNewlines: boolean
}

/** Follows the quotes of a block; a block without any that begins outside of them costs a search. */
function follow(quotes: Quotes, block: Buffer, offset: number): void {
  if (quotes.opened < 0 && !block.includes(quote)) {
    quotes.previous = block[block.length - 1] ?? quotes.previous
    return
  }
  let { opened, began, closed, previous } = quotes
  for (let at = 0; at < block.length; at++) {
    const byte = block[at] ?? 0
    if (byte === quote) {
      if (opened >= 0) {
        closed = offset + at
        began = opened
        opened = -1
      } else if (closed >= 0 && closed === offset + at - 1) {
        opened = began // Two quotes are one of the cell, which goes on.
      } else if (previous === comma || previous === newline || previous === carriageReturn) {
        opened = offset + at
      } else if (previous === byteOrderMark && offset + at === 3) {
        opened = 3
      }
    } else if (byte === newline && opened >= 0) quotes.hasNewlines = true
    previous = byte
  }
  Object.assign(quotes, { opened, began, closed, previous })
}

async function lineAt(path: string, offset: number): Promise<number> {
  let line = 1
  let left = offset
  for await (const block of blocksOf(path)) {
    const part = block.subarray(0, left)
    for (let at = part.indexOf(newline); at >= 0; at = part.indexOf(newline, at + 1)) line++
    left -= part.length
    if (left === 0) break
  }
  return line
}

/** Why and where, as the caller is told. */
export function malformed(reason: string, line: number | undefined): Refusal {
  return new Refusal(
    'input-malformed',
    'The file is not a table in UTF-8 with commas, double quotes and rows of one length. Write it again.',
    line === undefined ? { reason } : { reason, line },
  )
}

function namesOf(head: Buffer): string[] {
  const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0
  const end = head.subarray(start).findIndex((byte) => byte === newline || byte === carriageReturn)
  if (end < 0 && head.length === headerBytesMax) throw malformed('header too long', 1)
  const bytes = head.subarray(start, end < 0 ? head.length : start + end)
  if (!isUtf8(bytes)) throw malformed('not UTF-8', 1)
  const names = bytes.toString('utf8').split(',')
  // A name never needs a quote inside it, so a quoted name is a name between quotes.
  return names.map((name) => (/^"[^"]*"$/.test(name) ? name.slice(1, -1) : name))
}
