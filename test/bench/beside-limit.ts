/** The limits that the benches stand beside: bare scripts, each a process of its own, whose last line is JSON. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type Limit = { seconds: number; cpuSeconds: number }

/** Runs a script of this directory. @throws {Error} when it fails. */
export function runLimit<T extends Limit>(script: string, words: readonly string[]): T {
  const program = fileURLToPath(new URL(script, import.meta.url))
  const run = spawnSync(process.execPath, [program, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (run.status !== 0) throw new Error('the limit failed')
  return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as T
}

/** The mean of runs before and after what is measured: a shared machine is not as fast from minute to minute. */
export function meanOf(limits: readonly Limit[]): Limit {
  const mean = (of: (limit: Limit) => number): number =>
    rounded(limits.reduce((sum, limit) => sum + of(limit), 0) / limits.length)
  return { seconds: mean(({ seconds }) => seconds), cpuSeconds: mean((limit) => limit.cpuSeconds) }
}

/** Figures with their limit, and how many times it they are. */
export function besideLimit<T extends Limit>(figures: T, limit: Limit) {
  const ratioToLimit = rounded(figures.seconds / limit.seconds)
  const cpuRatioToLimit = rounded(figures.cpuSeconds / limit.cpuSeconds)
  return { ...figures, limit, ratioToLimit, cpuRatioToLimit }
}

/** To the hundredth. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
