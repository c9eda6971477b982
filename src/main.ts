#!/usr/bin/env node
/**
 * The entry: the only file that reads the environment and the arguments, and the only one that ends
 * the process.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Terminal } from './cli/command.ts'
import { explain, runCommandLine } from './cli/run.ts'

/** A process that was asked to end has so long to finish what it has in hand. */
const drainMs = 30_000
/** Without the process that started it there is nobody left to work for. */
const orphanedDrainMs = 5_000

/** Of a terminal that does not say. */
const columnsUsual = 80

const stopping = new AbortController()
const terminal: Terminal = {
  print: (line) => void process.stdout.write(`${line}\n`),
  tell: (line) => void process.stderr.write(`${line}\n`),
  draw: (text) => void process.stderr.write(text),
  columns: () => (process.stderr.isTTY ? process.stderr.columns || columnsUsual : undefined),
  stop: stopping.signal,
  announce: (message) => {
    if (process.connected) process.send?.(message)
  },
  atExit: (act) => void process.once('exit', act),
}

/** The first signal asks to finish, the second does not ask. */
function stopWithin(ms: number, code: number): void {
  if (stopping.signal.aborted) process.exit(code)
  setTimeout(() => process.exit(code), ms).unref()
  stopping.abort()
}

/**
 * A core dump of this process, and of any that it starts, holds no memory, for keys and opened data are in it. Linux lets a
 * process say so (core(5)); elsewhere the limits of the system have to.
 */
function keepOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // Another system, or one that hides it.
  }
}

keepOutOfCoreDumps()
process.once('disconnect', () => stopWithin(orphanedDrainMs, 1))
process.on('SIGTERM', () => stopWithin(drainMs, 143))
process.on('SIGINT', () => stopWithin(drainMs, 130))
process.on('SIGHUP', () => stopWithin(drainMs, 129))
// Whoever read our lines is gone; that is no reason to stop working.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
process.on('uncaughtException', (error) => process.exit(explain(error, terminal)))
process.on('unhandledRejection', (error) => process.exit(explain(error, terminal)))

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }
const line = { words: process.argv.slice(2), environment: process.env, version }
process.exit(await runCommandLine(line, terminal))
