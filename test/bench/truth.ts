/** A population with all its dirt held against the truth. Ends with 1 if a promise is broken. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holdAgainstTruth } from '../truth/truth.ts'

export async function benchTruth(options: {
  persons: number
  seed: number
  tell: (line: string) => void
}): Promise<Record<string, unknown>> {
  const dir = mkdtempSync(join(tmpdir(), 'gyeol-bench-truth-'))
  const began = performance.now()
  try {
    const { report, counts, ...held } = await holdAgainstTruth({ ...options, dir })
    if (held.broken.length > 0) process.exitCode = 1
    const { hubsByKey, notices, cases, clusters, agencies } = report
    const flags = counts.checks.filter(({ pass }) => pass === null)
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
    return { ...held, told: { hubsByKey, notices, cases, clusters, agencies }, flags, seconds }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
