/**
 * One DuckDB in this process's memory, for one job. It reads and writes plain files in the job's scratch directory and can
 * reach nothing else: no other directory, no network, no extension that is not built in. Every setting that bounds it is
 * given here and then locked, so that no statement can loosen it.
 */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'
import { columnFunction, type OnColumn, type OnTexts, textFunction } from './column-function.ts'
import { engineErrorOf } from './engine-error.ts'
import { type Tally, tallyFunction } from './tally-function.ts'

/** A value of a prepared statement. */
export type Value = string | number | bigint | boolean | null

export type SessionOptions = {
  /** The job's private directory. The only place the session may read and write. */
  scratchDir: string
  /** Where else files may be read: a release package to be checked. */
  packageDir?: string
  /** What DuckDB may hold in memory before it spills into the scratch directory. */
  memoryMiB: number
  threads: number
  /**
   * Files of others are read: what a file says of the least and greatest of its values is not believed, else the engine
   * would leave a check out that no value could fail.
   */
  readsForeignFiles?: boolean
  /** What it may spill. Default: four times what it may hold in memory. */
  spillMiB?: number
}

export type Session = {
  readonly scratchDir: string
  readonly threads: number
  /**
   * Runs one statement, or several separated by semicolons when there are no values.
   *
   * @throws {EngineError} for whatever the engine says; a callback's own error is thrown as it is.
   */
  run(sql: string, values?: readonly Value[]): Promise<void>
  /**
   * Runs statements beside what `act` runs, as many at once as there are threads: for such as keep one thread busy each
   * and do not depend on each other. They do not see temporary tables.
   *
   * @returns what `act` gave, when all have ended.
   * @throws what `act` threw, or else {EngineError} for whatever the engine says of a statement.
   */
  runBeside<T>(statements: readonly string[], act: () => Promise<T>): Promise<T>
  /**
   * The rows of a query as objects. Whole numbers of every width come as `number`.
   *
   * @throws {RangeError} for a whole number beyond 2^53: a defect of the query.
   */
  rows<T extends Record<string, unknown>>(sql: string, values?: readonly Value[]): Promise<T[]>
  /**
   * Makes `onColumn` callable in SQL as `name(uuid)` (width 16) or `name(uuid, uuid)` (width 32), giving a UUID. It is
   * called with up to 2,048 rows at a time, in canonical byte order (as a UUID is printed), never with a NULL: a NULL
   * in any argument gives NULL.
   */
  registerColumnFunction(name: string, width: 16 | 32, onColumn: OnColumn): void
  /** Makes `onTexts` callable in SQL as `name(uuid)`, giving a VARCHAR; otherwise like a column function. */
  registerTextFunction(name: string, onTexts: OnTexts): void
  /** Makes `name(code)` callable in SQL: it gives false and adds one to the tally of the code. */
  registerTally(name: string, tally: Tally): void
  close(): void
}

/** Opens a session. Close it whatever happens: it holds the memory until then. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const scratchDir = resolve(options.scratchDir)
  const spillDir = join(scratchDir, 'spill')
  await mkdir(spillDir, { recursive: true, mode: 0o700 })
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${options.memoryMiB}MiB`,
    threads: String(options.threads),
    temp_directory: spillDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_unsigned_extensions: 'false',
    allow_persistent_secrets: 'false',
    default_null_order: 'nulls_last',
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  const spillMiB = options.spillMiB ?? 4 * options.memoryMiB
  const directories = [scratchDir, ...(options.packageDir ? [resolve(options.packageDir)] : [])]
  const allowed = directories.map((directory) => quoteText(`${directory}/`))
  const settings = [
    'global errors_as_json = true',
    // Given with the others it is shown but not held to.
    `max_temp_directory_size = '${spillMiB}MiB'`,
    `allowed_directories = [${allowed.join(', ')}]`,
    ...(options.readsForeignFiles === true
      ? ["disabled_optimizers = 'statistics_propagation'"]
      : []),
    'enable_external_access = false',
    'lock_configuration = true',
  ]
  await connection.run(settings.map((setting) => `set ${setting}`).join('; '))
  return sessionOn(instance, connection, { scratchDir, threads: options.threads })
}

/** A name as DuckDB reads it literally: the only way a name gets into SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as a SQL literal: for file paths and options, which cannot be prepared values. */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new RangeError('a text with a NUL cannot be a literal')
  return `'${text.replaceAll("'", "''")}'`
}

function sessionOn(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  known: { scratchDir: string; threads: number },
): Session {
  let thrown: unknown
  let isOpen = true
  const onThrow = (error: unknown): void => {
    thrown ??= error
  }
  const attempt = async <T>(act: () => Promise<T>): Promise<T> => {
    thrown = undefined
    try {
      return await act()
    } catch (error) {
      // A callback's own error reaches us as the engine's text; the original is the better one.
      throw thrown ?? engineErrorOf(error)
    }
  }
  return {
    ...known,
    run: (sql, values) => attempt(async () => void (await connection.run(sql, bound(values)))),
    runBeside: async (statements, act) => {
      const beside = runLanes(instance, statements, known.threads)
      const [ended, acted] = await Promise.allSettled([beside, (async () => await act())()])
      if (acted.status === 'rejected') throw acted.reason
      if (ended.status === 'rejected') throw engineErrorOf(ended.reason)
      return acted.value
    },
    rows: async <T extends Record<string, unknown>>(sql: string, values?: readonly Value[]) => {
      const rows = await attempt(async () => {
        const reader = await connection.runAndReadAll(sql, bound(values))
        return reader.getRowObjectsJS()
      })
      return rows.map(withNumbers) as T[]
    },
    registerColumnFunction: (name, width, onColumn) =>
      connection.registerScalarFunction(columnFunction(name, width, onColumn, onThrow)),
    registerTextFunction: (name, onTexts) =>
      connection.registerScalarFunction(textFunction(name, onTexts, onThrow)),
    registerTally: (name, tally) => connection.registerScalarFunction(tallyFunction(name, tally)),
    close: () => {
      if (!isOpen) return
      isOpen = false
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function runLanes(
  instance: DuckDBInstance,
  statements: readonly string[],
  lanes: number,
): Promise<void> {
  const waiting = [...statements]
  const lane = async (): Promise<void> => {
    const connection = await instance.connect()
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await connection.run(next)
      }
    } finally {
      waiting.length = 0
      connection.closeSync()
    }
  }
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(lanes, statements.length) }, lane),
  )
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}

function bound(values: readonly Value[] | undefined): DuckDBValue[] | undefined {
  return values === undefined ? undefined : [...values]
}

function withNumbers(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== 'bigint') continue
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError('a whole number beyond 2^53')
    row[name] = number
  }
  return row
}
