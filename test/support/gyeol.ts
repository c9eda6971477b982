/**
 * The command line as people use it: real processes with nothing in their environment but what a
 * test gives.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { until } from './until.ts'

/** How a process ended and what it said. */
export type Ending = { code: number | null; out: string; err: string }

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Runs a command to its end. */
export async function gyeol(
  words: string[],
  environment: Record<string, string> = {},
): Promise<Ending> {
  return new GyeolProcess(words, environment).ended
}

/** A command that runs. */
export class GyeolProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
  out = ''
  err = ''

  constructor(words: string[], environment: Record<string, string>) {
    this.child = spawn(process.execPath, [entry, ...words], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk
    })
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, out: this.out, err: this.err }))
    })
  }

  /** Waits until it has said this. @throws when it ends before. */
  async says(what: string | RegExp): Promise<void> {
    const isIn = (text: string): boolean =>
      typeof what === 'string' ? text.includes(what) : what.test(text)
    await until(() => {
      if (isIn(this.out) || isIn(this.err)) return true
      if (this.child.exitCode === null) return false
      throw new Error(`it never said ${what}: ${this.out}${this.err}`)
    }, `${what}`)
  }
}

/** A directory of the test's own, removed when it ends. */
export function temporaryDirectory(t: Pick<Test, 'teardown'>): string {
  const path = mkdtempSync(join(tmpdir(), 'gyeol-cli-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The processes that have this text in their environment or arguments, by id. Linux only. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (pid) => readProc(pid, 'cmdline').includes(text) || readProc(pid, 'environ').includes(text),
    )
    .map(Number)
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return '' // Ended meanwhile, or not ours.
  }
}
