/**
 * The whole job beside its limit: the same agency files once through the service with everything real, and once through a
 * bare DuckDB script (limit.ts) that parses, joins and writes.
 *
 * `ratioToLimit` compares wall clock from the agencies' files to a built release: prepare, deliver (with intake), link,
 * assemble, release. Review and delivery of the package (`approve`) are told but not compared: the limit has nothing like
 * it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAllRoles } from '../../src/cli/all-roles.ts'
import { configOf } from '../../src/cli/config.ts'
import { runWholeJob } from '../../src/cli/demo/whole-job.ts'
import { createLog } from '../../src/cli/log.ts'
import { scratchRootOf } from '../../src/cli/scratch-place.ts'
import { generatePopulation } from '../../src/population/generate.ts'
import { besideLimit, type Limit, meanOf, runLimit } from './beside-limit.ts'
import { watchProcesses } from './processes.ts'

const compared = ['prepare', 'deliver', 'link', 'assemble', 'release']

type Stage = {
  seconds: number
  cpuSeconds: number
  cpuSecondsByProcess: Record<string, number>
  rowsPerSecond: number
}
type WholeLimit = Limit & { rowsWritten: number }

export async function benchWhole(options: {
  persons: number
  tell: (line: string) => void
}): Promise<Record<string, unknown>> {
  const { persons, tell } = options
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-bench-'))
  const populationDir = join(directory, 'population')
  try {
    tell(`population of ${persons}`)
    const population = await generatePopulation({ persons, seed: 1, outDir: populationDir })
    const rows = Object.values(population.rowsByTable).reduce((sum, n) => sum + n, 0)
    const before = limitOf(populationDir, directory)
    tell(`limit ${before.seconds.toFixed(1)} s`)
    const whole = await runWatched(directory, populationDir, { rows, tell })
    const after = limitOf(populationDir, directory)
    tell(`limit again ${after.seconds.toFixed(1)} s`)
    const seconds = compared.reduce((sum, name) => sum + (whole.stages[name]?.seconds ?? 0), 0)
    const cpuSeconds = compared.reduce(
      (sum, name) => sum + (whole.stages[name]?.cpuSeconds ?? 0),
      0,
    )
    return {
      rows,
      generate: {
        seconds: population.seconds,
        rowsPerSecond: population.rows / population.seconds,
      },
      stages: whole.stages,
      ...besideLimit({ seconds, cpuSeconds }, meanOf([before, after])),
      rowsPerSecond: rows / seconds,
      rowsWrittenByLimit: after.rowsWritten,
      peakMiB: whole.peakMiB,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function limitOf(populationDir: string, directory: string): WholeLimit {
  const output = join(directory, 'limit')
  try {
    return runLimit<WholeLimit>('limit.ts', [populationDir, output])
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

async function runWatched(
  directory: string,
  populationDir: string,
  { rows, tell }: { rows: number; tell: (line: string) => void },
): Promise<{ stages: Record<string, Stage>; peakMiB: Record<string, number> }> {
  const home = join(directory, 'home')
  const workDir = join(directory, 'agencies')
  mkdirSync(workDir)
  const config = configOf({ GYEOL_HOME: home, GYEOL_PORT: '0', GYEOL_LOG_LEVEL: 'warn' })
  const log = createLog('bench', 'warn', tell)
  const watch = watchProcesses()
  const service = await startAllRoles(config, { log, onLine: tell })
  const stages: Record<string, Stage> = {}
  try {
    await runWholeJob({
      config,
      service,
      populationDir,
      workDir,
      outDir: join(directory, 'release'),
      formats: ['parquet'],
      scratchRoot: await scratchRootOf(config, tell),
      stage: async (name, act) => {
        const beganAt = performance.now()
        const before = watch.cpuSecondsByName()
        const result = await act(() => {})
        const seconds = (performance.now() - beganAt) / 1000
        const cpuSecondsByProcess = difference(watch.cpuSecondsByName(), before)
        const cpuSeconds = Object.values(cpuSecondsByProcess).reduce((sum, each) => sum + each, 0)
        stages[name] = { seconds, cpuSeconds, cpuSecondsByProcess, rowsPerSecond: rows / seconds }
        const by = JSON.stringify(cpuSecondsByProcess)
        tell(`${name} ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s ${by}`)
        return result
      },
      verifyTrail: async () => ({ size: 0, root: '', verified: true }),
    })
  } finally {
    await service.stop()
    watch.stop()
  }
  return { stages, peakMiB: watch.peakMiB() }
}

function difference(
  after: Record<string, number>,
  before: Record<string, number>,
): Record<string, number> {
  const spent = Object.entries(after).map(([name, seconds]): [string, number] => [
    name,
    Math.round((seconds - (before[name] ?? 0)) * 100) / 100,
  ])
  return Object.fromEntries(spent.filter(([, seconds]) => seconds >= 0.05))
}
