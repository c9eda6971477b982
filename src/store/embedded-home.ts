/**
 * What a home directory remembers of its PostgreSQL: where the cluster is, its last port, its
 * passwords. The file is readable by the service's user alone.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { chownSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { postgresEnvironment, type RunAs } from './postgres-binaries.ts'
import { readPrivateFile } from './private-file.ts'
import { type LoginRole, loginRoles } from './roles.ts'

/** The database of the service in its own server. */
export const databaseName = 'gyeol'

const stateSchema = z.strictObject({
  /** Where the cluster is when the user that runs PostgreSQL cannot enter the home directory. */
  base: z.string().max(4096).nullable(),
  port: z.int().min(1).max(65_535).nullable(),
  passwords: z.record(z.enum(['admin', ...loginRoles]), z.string().max(128)),
})

/** What `<home>/postgres.json` holds. */
export type HomeState = z.infer<typeof stateSchema>

/**
 * What a home remembers; made up at the first start, with new passwords.
 *
 * @returns the state and the directory of the cluster, which exists and belongs to the user that
 *   runs PostgreSQL.
 */
export function openHome(home: string, runAs: RunAs): { state: HomeState; base: string } {
  const state = readState(home) ?? writeState(home, newState(home, runAs))
  const base = state.base ?? join(home, 'postgres')
  prepareBase(base, runAs)
  return { state, base: realpathSync(base) }
}

/** Remembers the port for the next start. */
export function rememberPort(home: string, state: HomeState, port: number): void {
  if (port !== state.port) writeState(home, { ...state, port })
}

/** The superuser's URL and one for each role that logs in. They hold passwords. */
export function urlsOf(
  state: HomeState,
  port: number,
  database: string,
): Record<'admin' | LoginRole, string> {
  const url = (role: 'admin' | LoginRole): string =>
    `postgres://${role === 'admin' ? 'postgres' : role}:${state.passwords[role]}@127.0.0.1:${port}/${database}`
  return everyRole(url)
}

/** The URLs of a home's embedded PostgreSQL as it last ran; undefined if it never did. */
export function urlsOfHome(home: string): Record<'admin' | LoginRole, string> | undefined {
  const state = readState(home)
  if (!state?.port) return undefined
  return urlsOf(state, state.port, databaseName)
}

function newState(home: string, runAs: RunAs): HomeState {
  return {
    base: relocatedBase(home, runAs),
    port: null,
    passwords: everyRole(() => randomBytes(24).toString('base64url')),
  }
}

function everyRole<T>(make: (role: 'admin' | LoginRole) => T): Record<'admin' | LoginRole, T> {
  return {
    admin: make('admin'),
    gyeol_migrate: make('gyeol_migrate'),
    gyeol_api: make('gyeol_api'),
    gyeol_key: make('gyeol_key'),
    gyeol_data: make('gyeol_data'),
    gyeol_sign: make('gyeol_sign'),
    gyeol_auditor: make('gyeol_auditor'),
  }
}

/**
 * null when the user that runs PostgreSQL can work under the home directory, else a directory where
 * it can.
 */
function relocatedBase(home: string, runAs: RunAs): string | null {
  if (isUsable(join(home, 'postgres'), runAs)) return null
  rmSync(join(home, 'postgres'), { recursive: true, force: true })
  const name = randomUUID()
  for (const parent of ['/var/lib/gyeol', '/var/tmp', '/tmp']) {
    const base = join(parent, parent === '/var/lib/gyeol' ? name : `gyeol-${name}`)
    if (isUsable(base, runAs)) return base
  }
  throw new Refusal(
    'option-unknown',
    'The user that runs PostgreSQL can write in no directory. Set DATABASE_URL, or start as another user.',
  )
}

function isUsable(base: string, runAs: RunAs): boolean {
  try {
    prepareBase(base, runAs)
  } catch {
    return false
  }
  const tried = spawnSync('/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', base], {
    ...runAs,
    cwd: '/',
    env: postgresEnvironment,
    stdio: 'ignore',
  })
  return tried.status === 0
}

function prepareBase(base: string, runAs: RunAs): void {
  mkdirSync(join(base, '..'), { recursive: true, mode: 0o755 })
  mkdirSync(base, { recursive: true, mode: 0o700 })
  if (runAs !== undefined) chownSync(base, runAs.uid, runAs.gid)
}

const statePath = (home: string): string => join(home, 'postgres.json')

function readState(home: string): HomeState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readPrivateFile(statePath(home))))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    if (error instanceof Refusal) throw error
    throw new Refusal(
      'input-malformed',
      'The file postgres.json in the home directory is damaged. Restore it from a backup of the home.',
    )
  }
}

function writeState(home: string, state: HomeState): HomeState {
  const unfinished = `${statePath(home)}.new`
  writeFileSync(unfinished, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(unfinished, statePath(home))
  return state
}
