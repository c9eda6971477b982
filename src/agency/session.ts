/**
 * The DuckDB of the agency's tool. Unlike a worker's it reads the agency's own directories, need not keep the order of rows
 * (lines are told from the source, never from a part), tells its progress and can be interrupted. It shares the engine's
 * rule that what DuckDB says about values stays inside.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { blobValue, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { z } from 'zod'
import { engineErrorOf } from '../engine/engine-error.ts'
import { quoteText } from '../engine/session.ts'
import { type Tally, tallyFunction } from '../engine/tally-function.ts'

export type AgencySessionOptions = {
  /** Private directory for spilled data; made with mode 0700. */
  workDir: string
  /** Directories that may be read or written besides. */
  dirs: readonly string[]
  memoryMiB: number
  threads: number
  /** Rows come in the order of the file: for finding a line again. */
  keepsOrder?: boolean
  /** Stops the running statement, and refuses every later one. */
  signal?: AbortSignal
}

export type AgencySession = {
  /** Runs statements; a `Uint8Array` value is a BLOB, so that a key never stands in SQL text. */
  run(sql: string, values?: readonly (string | Uint8Array)[]): Promise<void>
  rows(sql: string, values?: readonly string[]): Promise<Record<string, unknown>[]>
  /** How many rows the last statement read from files: DuckDB's own count. */
  rowsScanned(): Promise<number>
  /** What `tallied(<code>)` in SQL has counted; it gives false. Clear it before a statement that counts. */
  readonly tally: Tally
  /** Share of the running statement that is done, 0 to 1. */
  progress(): number
  close(): void
}

/** Opens a session whose bounds are locked. Close it whatever happens. */
export async function openAgencySession(options: AgencySessionOptions): Promise<AgencySession> {
  const workDir = resolve(options.workDir)
  await mkdir(join(workDir, 'spill'), { recursive: true, mode: 0o700 })
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${options.memoryMiB}MiB`,
    threads: String(options.threads),
    temp_directory: join(workDir, 'spill'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    preserve_insertion_order: String(options.keepsOrder ?? false),
  })
  const connection = await instance.connect()
  const dirs = [workDir, ...options.dirs].map((dir) => quoteText(join(resolve(dir), '/')))
  const profile = join(workDir, 'profile.json')
  for (const setting of [
    'set errors_as_json = true',
    'set enable_progress_bar = true',
    'set enable_progress_bar_print = false',
    `set custom_profiling_settings = '{"OPERATOR_NAME": "true", "OPERATOR_CARDINALITY": "true"}'`,
    `set allowed_directories = [${dirs.join(', ')}]`,
    "pragma enable_profiling = 'json'",
    `set profiling_output = ${quoteText(profile)}`,
    'set enable_external_access = false',
    'set lock_configuration = true',
  ])
    await connection.run(setting)
  return sessionOn(instance, connection, { profile, signal: options.signal })
}

function sessionOn(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  { profile, signal }: { profile: string; signal: AbortSignal | undefined },
): AgencySession {
  const interrupt = () => connection.interrupt()
  signal?.addEventListener('abort', interrupt)
  const tally: Tally = new Map()
  connection.registerScalarFunction(tallyFunction('tallied', tally))
  const attempt = async <T>(act: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    try {
      return await act()
    } catch (error) {
      throw engineErrorOf(error)
    }
  }
  return {
    run: (sql, values = []) =>
      attempt(async () => {
        const bound = values.map((value) => (typeof value === 'string' ? value : blobValue(value)))
        await connection.run(sql, bound)
      }),
    rows: (sql, values = []) =>
      attempt(async () => (await connection.runAndReadAll(sql, [...values])).getRowObjectsJS()),
    rowsScanned: async () =>
      scannedIn(operatorSchema.parse(JSON.parse(await readFile(profile, 'utf8')))),
    tally,
    progress: () => Math.min(1, Math.max(0, connection.progress.percentage / 100)),
    close: () => {
      signal?.removeEventListener('abort', interrupt)
      connection.closeSync()
      instance.closeSync()
    },
  }
}

type Operator = {
  operator_name?: string | undefined
  operator_cardinality?: number | undefined
  children: Operator[]
}
const operatorSchema: z.ZodType<Operator> = z.object({
  operator_name: z.string().optional(),
  operator_cardinality: z.number().optional(),
  get children() {
    return z.array(operatorSchema)
  },
})

/** Rows that came out of files; scans of the session's own tables have another name. */
function scannedIn(operator: Operator): number {
  const isFile = /^(READ_CSV|READ_PARQUET|PARQUET_SCAN)/.test(operator.operator_name ?? '')
  const below = operator.children.map(scannedIn).reduce((sum, rows) => sum + rows, 0)
  return below + (isFile ? (operator.operator_cardinality ?? 0) : 0)
}
