/**
 * What DuckDB's CSV reader does not tell, told from the bytes. It takes a NUL for a character, guesses at a header, and its
 * messages quote the row. So before it reads, the header is read here and NULs and endless lines are refused; when it
 * stops, the first fault is looked for here, and named by reason and line only.
 *
 * The form is RFC 4180 in UTF-8: comma, double quotes, LF or CRLF (one of them throughout), a byte order mark and blank
 * lines ignored, the last newline optional.
 */
import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'

/** The longest line, in bytes. A longer one is refused while memory holds two blocks. */
export const lineBytesMax = 1_048_576

const headerBytesMax = 65_536
const newline = 10
const carriageReturn = 13
const quote = 34
const comma = 44

/**
 * The column names of a CSV file, in file order, after the whole file was searched for NULs and endless lines.
 *
 * @throws {Refusal} `input-malformed` with the line.
 */
export async function csvHeader(path: string): Promise<string[]> {
  await refuseUnreadable(path)
  const file = await open(path)
  try {
    const head = Buffer.alloc(headerBytesMax)
    const { bytesRead } = await file.read(head, 0, headerBytesMax, 0)
    return namesOf(head.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/**
 * Where a CSV file that the engine could not read goes wrong first: a reason and the line, from 1.
 *
 * @param columns - how many cells a row must have.
 */
export async function csvFault(
  path: string,
  columns: number,
): Promise<{ reason: string; line: number } | undefined> {
  for await (const row of csvRows(path)) {
    if (row.reason !== undefined) return { reason: row.reason, line: row.line }
    if (row.cells !== columns) return { reason: 'number of cells', line: row.line }
  }
  return undefined
}

/** The lines, from 1, on which the given rows begin; rows are counted from 1 after the header, blank lines not. */
export async function csvLinesOf(
  path: string,
  rows: readonly number[],
): Promise<Map<number, number>> {
  const wanted = new Set(rows)
  const lines = new Map<number, number>()
  let number = -1
  for await (const row of csvRows(path)) {
    number++
    if (wanted.has(number)) lines.set(number, row.line)
    if (lines.size === wanted.size) break
  }
  return lines
}

async function refuseUnreadable(path: string): Promise<void> {
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
    offset += block.length
  }
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

type CsvRow = { line: number; cells: number; reason?: string }

/** Every row, the header included, by a machine of one byte at a time: slow and only for what went wrong. */
async function* csvRows(path: string): AsyncGenerator<CsvRow> {
  const state = newState()
  for await (const block of blocksOf(path)) {
    for (const byte of block) {
      const row = step(state, byte)
      if (row !== undefined) yield row
    }
  }
  const last = endRow(state)
  if (last !== undefined) yield last
}

type State = {
  line: number
  startLine: number
  cells: number
  /** Where the machine is: before a cell, in a bare cell, between quotes, or after a quote that may close. */
  at: 'cell start' | 'bare' | 'quoted' | 'quote seen'
  bytes: number[]
  ending: 'LF' | 'CRLF' | undefined
  returned: boolean
  reason: string | undefined
}

function newState(): State {
  return {
    line: 1,
    startLine: 1,
    cells: 1,
    at: 'cell start',
    bytes: [],
    ending: undefined,
    returned: false,
    reason: undefined,
  }
}

function step(state: State, byte: number): CsvRow | undefined {
  if (state.at === 'quoted') {
    if (byte === quote) state.at = 'quote seen'
    else keep(state, byte)
    if (byte === newline) state.line++
    return undefined
  }
  if (state.returned && byte !== newline) state.reason ??= 'line ending'
  if (byte === newline) return lineEnd(state)
  state.returned = byte === carriageReturn
  if (state.returned) return undefined
  if (byte === comma) {
    state.cells++
    state.at = 'cell start'
  } else if (byte === quote) {
    if (state.at === 'quote seen' || state.at === 'cell start') state.at = 'quoted'
  } else {
    if (state.at === 'quote seen') state.reason ??= 'quote'
    state.at = 'bare'
  }
  keep(state, byte)
  return undefined
}

function keep(state: State, byte: number): void {
  state.bytes.push(byte)
  if (state.bytes.length > lineBytesMax) state.reason ??= 'line too long or quote not closed'
  if (state.bytes.length > 2 * lineBytesMax) state.bytes.length = lineBytesMax
}

function lineEnd(state: State): CsvRow | undefined {
  const ending = state.returned ? 'CRLF' : 'LF'
  state.ending ??= ending
  if (state.ending !== ending) state.reason ??= 'line ending'
  state.line++
  const row = endRow(state)
  state.startLine = state.line
  return row
}

function endRow(state: State): CsvRow | undefined {
  if (state.at === 'quoted') state.reason ??= 'line too long or quote not closed'
  const isBlank = state.bytes.length === 0 && state.cells === 1 && state.at === 'cell start'
  if (!isUtf8(Uint8Array.from(state.bytes))) state.reason ??= 'not UTF-8'
  const { startLine: line, cells, reason } = state
  Object.assign(state, {
    cells: 1,
    at: 'cell start',
    bytes: [],
    returned: false,
    reason: undefined,
  })
  if (isBlank && reason === undefined) return undefined
  return reason === undefined ? { line, cells } : { line, cells, reason }
}

async function* blocksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(lineBytesMax),
        0,
        lineBytesMax,
      )
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
