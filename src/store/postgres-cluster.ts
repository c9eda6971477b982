/**
 * One PostgreSQL cluster in one directory: make it, start its server, stop it.
 *
 * The server is a child in a session of its own (so that Ctrl-C reaches the service first), with a
 * guard beside it: a shell that waits at a pipe from this process and stops the server when the
 * pipe ends. However this process ends, by return, signal, exception or kill -9, the server shuts
 * down cleanly within moments.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../core/errors.ts'
import { postgresEnvironment, type RunAs } from './postgres-binaries.ts'

/** Where a cluster is and how it is run. */
export type Cluster = {
  /** Owned by the user that runs PostgreSQL; holds `data` and `postgres.log`. */
  base: string
  /** The programs. */
  programs: string
  runAs: RunAs
  /** No syncing to disk at all: for tests, whose clusters are thrown away. */
  isThrowaway: boolean
}

/** A server that this process started. */
export type Server = {
  /** Resolves when the server has ended, wanted or not. */
  readonly ended: Promise<void>
  /** Fast shutdown: sessions are ended, everything is written, then it resolves. */
  stop(): Promise<void>
}

const stopTimeoutMs = 30_000
const logBytesMax = 16 * 1024 * 1024

/**
 * Makes the cluster if it is not there. Unfinished ones are made anew.
 *
 * @param verifier - SCRAM verifier of the superuser's password.
 * @throws {Refusal} `schema-unknown` when the cluster was made by another major version of
 *   PostgreSQL.
 */
export function makeCluster(cluster: Cluster, verifier: string): void {
  const dir = join(cluster.base, 'data')
  if (existsSync(dir)) {
    requireSameVersion(cluster, dir)
    return
  }
  const unfinished = join(cluster.base, 'data.new')
  const passwordFile = join(cluster.base, 'password')
  rmSync(unfinished, { recursive: true, force: true })
  rmSync(passwordFile, { force: true })
  writeFileSync(passwordFile, verifier, { mode: 0o644, flag: 'wx' }) // A verifier, in a directory of mode 0700.
  try {
    const made = spawnSync(
      join(cluster.programs, 'bin', 'initdb'),
      [
        `--pgdata=${unfinished}`,
        `--pwfile=${passwordFile}`,
        '--username=postgres',
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(cluster.isThrowaway ? ['--no-sync'] : []),
      ],
      { ...cluster.runAs, cwd: cluster.base, env: postgresEnvironment, encoding: 'utf8' },
    )
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`, { cause: made.error })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(unfinished, dir)
}

/** Starts the server on a loopback port. It is not ready yet when this returns. */
export function startServer(cluster: Cluster, port: number): Server {
  const log = openLog(join(cluster.base, 'postgres.log'))
  const settings = { ...serverSettings, ...(cluster.isThrowaway ? throwawaySettings : {}), port }
  const server = spawn(
    join(cluster.programs, 'bin', 'postgres'),
    [
      '-D',
      join(cluster.base, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      ...cluster.runAs,
      cwd: cluster.base,
      env: postgresEnvironment,
      stdio: ['ignore', log, log],
      detached: true,
    },
  )
  closeSync(log)
  server.unref() // The guard ends it with this process.
  const guard = server.pid === undefined ? undefined : startGuard(server.pid)
  const ended = new Promise<void>((resolve) => {
    server.once('error', () => resolve())
    server.once('exit', () => resolve())
  }).then(() => {
    guard?.kill('SIGKILL')
  })
  return {
    ended,
    stop: async () => {
      const timer = setTimeout(() => server.kill('SIGQUIT'), stopTimeoutMs)
      server.kill('SIGINT')
      await ended
      clearTimeout(timer)
    },
  }
}

/** The process id of the server that runs on this cluster, whoever started it, and its port. */
export function runningServer(cluster: Cluster): { pid: number; port: number } | undefined {
  const dir = join(cluster.base, 'data')
  let lines: string[]
  try {
    lines = readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  if (isServerOf(pid, dir)) return { pid, port: Number(lines[3]) }
  rmSync(join(dir, 'postmaster.pid'), { force: true }) // Left by a machine or container that went down.
  return undefined
}

/** Stops a server that another process has left behind. */
export async function stopLeftServer(cluster: Cluster, pid: number): Promise<void> {
  signal(pid, 'SIGINT')
  for (let waitedMs = 0; runningServer(cluster)?.pid === pid; waitedMs += 50) {
    if (waitedMs === stopTimeoutMs) signal(pid, 'SIGQUIT')
    await sleep(50)
  }
}

/**
 * No value of any statement reaches the log: errors are the caller's to report, so only messages
 * about the server itself are written (`log_min_messages`), and never with a statement or
 * parameter.
 */
const serverSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  max_connections: 100,
  shared_buffers: '128MB',
  huge_pages: 'off',
  max_parallel_workers_per_gather: 0,
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_parameter_max_length: 0,
  log_parameter_max_length_on_error: 0,
  log_error_verbosity: 'terse',
} as const

const throwawaySettings = { fsync: 'off', full_page_writes: 'off', max_connections: 200 } as const

function startGuard(pid: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'cat >/dev/null; kill -INT "$1"', 'sh', String(pid)], {
    cwd: '/',
    env: postgresEnvironment,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return guard
}

function requireSameVersion(cluster: Cluster, dir: string): void {
  const made = Number(readFileSync(join(dir, 'PG_VERSION'), 'utf8'))
  const told = spawnSync(join(cluster.programs, 'bin', 'postgres'), ['--version'], {
    ...cluster.runAs,
    cwd: '/',
    env: postgresEnvironment,
    encoding: 'utf8',
  })
  const installed = Number(/(\d+)/.exec(told.stdout)?.[1])
  if (made !== installed) {
    throw new Refusal(
      'schema-unknown',
      'The database in this home was made by another major version of PostgreSQL. Dump it there and restore it here.',
      { made, installed },
    )
  }
}

/** A postmaster works in its data directory; a stranger with a recycled process id does not. */
function isServerOf(pid: number, dir: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !signal(pid, 0)) return false
  if (process.platform !== 'linux') return true // No /proc: the live process id has to do.
  try {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'postgres') return false
    return readlinkSync(`/proc/${pid}/cwd`) === dir
  } catch (error) {
    // Ended meanwhile; or a server whose directory may not be looked at, as in a container: better
    // safe.
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

function openLog(path: string): number {
  const isLarge = existsSync(path) && statSync(path).size > logBytesMax
  return openSync(path, isLarge ? 'w' : 'a', 0o600)
}
