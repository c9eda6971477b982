/**
 * DuckDB's messages quote the row, the cell and the statement they stumbled on. None of that may travel, so an error of the
 * engine leaves this room as its type and nothing else.
 */

/** What went wrong, as far as a caller can act on it differently. */
export type EngineErrorKind = 'disk-full' | 'out-of-memory' | 'interrupted' | 'other'

/** The engine failed. Carries DuckDB's exception type and, for a CSV error, the line; never its message. */
export class EngineError extends Error {
  readonly kind: EngineErrorKind
  /** DuckDB's name of the exception, as "Out of Memory" or "Conversion". */
  readonly type: string
  /** The line of a CSV file, from 1, when the engine named one. */
  readonly line: number | undefined

  constructor(kind: EngineErrorKind, type: string, line?: number) {
    super(`the engine stopped: ${kind} (${type})`)
    this.name = 'EngineError'
    this.kind = kind
    this.type = type
    this.line = line
  }
}

/** What the driver threw, without what it said. Errors that are not the engine's own pass as they are. */
export function engineErrorOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { type, message } = partsOf(error.message)
  const line = /CSV Error on Line: (\d{1,15})/.exec(message)?.[1]
  return new EngineError(kindOf(type, message), type, line === undefined ? undefined : Number(line))
}

function partsOf(text: string): { type: string; message: string } {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'exception_type' in parsed) {
      const message = 'exception_message' in parsed ? String(parsed.exception_message) : ''
      return { type: safeType(String(parsed.exception_type)), message }
    }
  } catch {
    // Not JSON: thrown by the driver itself, before the setting took hold.
  }
  return { type: safeType(/^([A-Za-z ]{1,40}) Error:/.exec(text)?.[1] ?? ''), message: text }
}

function safeType(type: string): string {
  return /^[A-Za-z ]{1,40}$/.test(type) ? type : 'Unknown'
}

function kindOf(type: string, message: string): EngineErrorKind {
  // The limit of the spill directory is reported as memory; for the caller it is the disk that is full.
  if (/No space left on device|max_temp_directory_size/i.test(message)) return 'disk-full'
  if (/^out of memory$/i.test(type)) return 'out-of-memory'
  if (/^interrupt/i.test(type)) return 'interrupted'
  return 'other'
}
