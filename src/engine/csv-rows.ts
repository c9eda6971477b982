/**
 * Where a CSV file goes wrong, found by a machine that takes one byte at a time. It is slow and runs only when the engine
 * has stopped, or when a row must be named by its line: the engine's messages quote the row, and so are never read.
 */
import { isUtf8 } from 'node:buffer'
import { blocksOf, carriageReturn, comma, lineBytesMax, newline, quote } from './csv-bytes.ts'

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
  if (state.bytes.length > lineBytesMax) state.reason ??= 'quote not closed'
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
  if (state.at === 'quoted') state.reason ??= 'quote not closed'
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
