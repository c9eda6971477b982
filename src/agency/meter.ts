/**
 * Tells how far a preparation is: what is done of the files, and of the file in hand what DuckDB says of its statement.
 */
import type { PrepareOptions } from './prepare-options.ts'
import type { AgencySession } from './session.ts'
import type { Source } from './sources.ts'

const tellEveryMs = 250

/** Counts bytes and rows over all sources. */
export class Meter {
  readonly #session: AgencySession
  readonly #tell: NonNullable<PrepareOptions['onProgress']>
  readonly #bytesTotal: number
  #bytes = 0
  #rows = 0

  constructor(
    session: AgencySession,
    sources: readonly Source[],
    onProgress: PrepareOptions['onProgress'],
  ) {
    this.#session = session
    this.#tell = onProgress ?? (() => {})
    this.#bytesTotal = sources.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Tells while `act` reads a piece of `bytes` of a source; it gives the rows it read. */
  async during(source: Source, bytes: number, act: () => Promise<number>): Promise<void> {
    let share = 0
    const tell = () => this.#say(source, Math.round(bytes * share))
    const timer = setInterval(() => {
      share = Math.max(share, this.#session.progress()) // The engine's own guess goes up and down.
      tell()
    }, tellEveryMs)
    try {
      this.#rows += await act()
    } finally {
      clearInterval(timer)
    }
    this.#bytes += bytes
    share = 0
    tell()
  }

  /** Tells that keys are being made. */
  keys(): void {
    this.#tell({ stage: 'keys', ...this.#counts(0) })
  }

  #say({ table, name }: Source, more: number): void {
    const stage = table === undefined ? 'persons' : 'tables'
    this.#tell({ stage, ...(table && { table }), file: name, ...this.#counts(more) })
  }

  #counts(more: number): { bytes: number; bytesTotal: number; rows: number } {
    const bytes = Math.min(this.#bytesTotal, this.#bytes + more)
    return { bytes, bytesTotal: this.#bytesTotal, rows: this.#rows }
  }
}
