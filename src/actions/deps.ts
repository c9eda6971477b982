/** What the actions are given: the rooms below, and chance. Time is the database's (`tx.now`). */

import type { AuditEntry } from '../core/audit-entry.ts'
import type { Act, Caller } from '../core/grants.ts'
import type { ReleaseSigner } from '../keys/cms.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Doorbell } from '../queue/doorbell.ts'
import type { ClaimedJob } from '../store/leases.ts'
import type { Pool } from '../store/pool.ts'
import type { Vault } from '../vault/vault.ts'

/** For the actions of callers. */
export type Deps = {
  pool: Pool
  vault: Vault
  doorbell: Doorbell
  /** The API's own: sessions and the delivery desk. It has no linkage key. */
  keyring: Keyring
  /** A random UUID, version 4. */
  randomUuid: () => string
}

/** For the actions of a worker, with its side's keyring. */
export type WorkerDeps = Deps & {
  side: 'key' | 'data'
  /** What one job may hold in DuckDB, MiB, and how many threads it gets. */
  jobMemoryMiB: number
  jobThreads: number
  /** Of the data side: signs manifests a second time, for those who check with OpenSSL. */
  releaseSigner?: ReleaseSigner | undefined
}

/** One job in a worker's hands. */
export type JobRun = {
  job: ClaimedJob
  /** Private to the job, on a memory file system, removed when the job ends. */
  scratchDir: string
  /** Aborted when the lease is lost or the worker stops. */
  signal: AbortSignal
  /** Tells how far the job is: counts only. */
  report: (progress: Record<string, number>) => void
}

/** The beginning of a caller's leaf: who, from where, what. */
export function leafBy(
  caller: Caller,
  action: Act,
  object: string,
): Pick<AuditEntry, 'actor' | 'from' | 'action' | 'object' | 'outcome'> {
  return {
    actor: { kind: caller.kind, name: caller.name },
    from: caller.from,
    action,
    object,
    outcome: 'done',
  }
}

/** The beginning of a worker's leaf. */
export function leafByWorker(
  deps: WorkerDeps,
  action: string,
  object: string,
): Pick<AuditEntry, 'actor' | 'action' | 'object' | 'outcome'> {
  return { actor: { kind: 'worker', name: deps.side }, action, object, outcome: 'done' }
}
