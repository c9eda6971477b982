/**
 * The rule of this room: whatever changes something runs in one named transaction on the database's
 * clock, and is either all there or not at all. Nothing here retries what might already have
 * happened.
 */
import pg from 'pg'

/** The connections of one process under one database role. */
export type Pool = pg.Pool

/**
 * What the functions of this room take: a statement to run. A pool and a transaction both are one.
 */
export type Queryable = {
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>
}

/** A running transaction. It answers only until its function returns. */
export type Tx = Queryable & {
  /**
   * The database's time at the start of the transaction: the only clock that rules and leases use.
   */
  readonly now: Date
}

/** Opens at most `max` connections; `name` is what the operator sees in `pg_stat_activity`. */
type PoolOptions = { connectionString: string; max: number; name: string }

const retriesMax = 3
const retryDelayMs = 20
/**
 * serialization_failure and deadlock_detected: PostgreSQL undid the transaction whole and asks for
 * it again.
 */
const undoneCodes: ReadonlySet<unknown> = new Set(['40001', '40P01'])

/**
 * A pool whose every wait has an end.
 *
 * bigint columns arrive as numbers (counts and sizes here stay below 2^53; one that does not is a
 * defect and throws), timestamps as `Date`, bytea as `Buffer`, uuid as text.
 */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 1_800,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    query_timeout: 35_000, // Above statement_timeout: only a half-open connection comes this far.
    types: { getTypeParser },
  })
  // An idle connection that breaks is replaced at the next use; without a listener it would end the
  // process.
  pool.on('error', () => {})
  return pool
}

/**
 * Runs `act` in one transaction (read committed) and commits what it did.
 *
 * @param name - kebab-case, constant; shown in `pg_stat_activity` while it runs.
 * @param act - may be called again, up to three times more, when PostgreSQL undid its work for a
 *   conflict with another transaction: it must have no effect outside `tx`.
 * @throws what `act` threw, after rolling back; what the driver threw, when the database is away.
 *   If the connection breaks during the commit itself, the outcome is unknown and the error says so
 *   by being the driver's own: effects carry ids, so a caller that repeats finds its work done.
 */
export async function inTransaction<T>(
  pool: Pool,
  name: string,
  act: (tx: Tx) => Promise<T>,
): Promise<T> {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    throw new RangeError('a transaction needs a kebab-case name')
  for (let retries = 0; ; retries += 1) {
    try {
      return await runOnce(pool, name, act)
    } catch (error) {
      if (retries >= retriesMax || !wasUndone(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs * 2 ** retries))
    }
  }
}

async function runOnce<T>(pool: Pool, name: string, act: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  // A connection that breaks between two statements reports here too; the next statement rejects
  // with the reason.
  const onBroken = (): void => {}
  client.on('error', onBroken)
  let isOpen = true
  let isClean = false
  try {
    const now = await begin(client, name)
    const tx: Tx = {
      now,
      query: async (text, values) => {
        if (!isOpen) throw new Error(`the transaction ${name} has already ended`)
        return client
          .query(text, values === undefined ? undefined : [...values])
          .catch(withoutValues)
      },
    }
    const result = await act(tx)
    isOpen = false
    const commit = await client.query('commit')
    isClean = true
    // PostgreSQL answers the commit of a failed transaction with ROLLBACK and no error.
    if (commit.command !== 'COMMIT') throw new Error(`a failed statement was ignored in ${name}`)
    return result
  } catch (error) {
    isOpen = false
    if (!isClean) isClean = await rollback(client)
    throw error
  } finally {
    client.off('error', onBroken)
    client.release(!isClean)
  }
}

/** One round trip: the transaction, its name and its time. */
async function begin(client: pg.PoolClient, name: string): Promise<Date> {
  const results: unknown = await client.query(
    `begin isolation level read committed; set local application_name = 'gyeol ${name}'; select now() as now`,
  )
  const clock: unknown = Array.isArray(results) ? results[2]?.rows?.[0]?.now : undefined
  if (!(clock instanceof Date)) throw new Error('the database did not tell its time')
  return clock
}

async function rollback(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false // The connection is gone, and the transaction with it. It is not handed out again.
  }
}

/** PostgreSQL quotes the row that broke a constraint; nobody who logs the error shall log the row. */
function withoutValues(error: unknown): never {
  if (error instanceof pg.DatabaseError) {
    for (const place of ['detail', 'where', 'hint', 'internalQuery'] as const) delete error[place]
  }
  throw error
}

function wasUndone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && undoneCodes.has(error.code)
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8 && format !== 'binary') return safeInteger
  return pg.types.getTypeParser(oid, format === 'binary' ? 'text' : format)
}

function safeInteger(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError('a bigint is beyond 2^53')
  return number
}
