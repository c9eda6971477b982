/** The whole job on this machine: five synthetic agencies, prepare, deliver, link, assemble, release, verify. */
import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { examplePolicies } from '../core/example-policies.ts'
import { generatePopulation } from '../population/generate.ts'
import { type AllRoles, startAllRoles } from './all-roles.ts'
import { auditExportCommand } from './audit-export.ts'
import { auditVerifyCommand } from './audit-verify.ts'
import { argumentsOf, type Command, type CommandContext, jsonOption } from './command.ts'
import type { Config } from './config.ts'
import type { OnProgress } from './demo/deliveries.ts'
import { type DemoReport, faultsOf, linesOfReport } from './demo/report.ts'
import { runWholeJob } from './demo/whole-job.ts'
import { untrueExitCode } from './exit-codes.ts'
import { createLog } from './log.ts'
import { progressBar } from './progress.ts'
import { scratchRootOf } from './scratch-place.ts'
import { stopped } from './waiting.ts'

const personsDefault = 20_000
const seedDefault = 1

export const demoCommand: Command = {
  usage: '[--persons <n>] [--seed <n>] [--out <dir>] [--keep] [--json]',
  options: {
    persons: { value: 'n', meaning: `persons in the spine; ${personsDefault} unless said` },
    seed: { value: 'n', meaning: 'the same seed gives the same population' },
    out: { value: 'dir', meaning: 'where the releases go; <home>/demo-release unless said' },
    keep: { meaning: 'keep population, deliveries and service of the demonstration' },
    ...jsonOption,
  },
  examples: ['npm run demo', 'npm run demo -- --persons 100000 --seed 7 --out /tmp/release --json'],
  run: demo,
}

async function demo(context: CommandContext): Promise<number> {
  const { given, print, tell } = context
  const persons = given.whole('persons', 1_000, 3_000_000) ?? personsDefault
  const seed = given.whole('seed', 0, 2_147_483_647) ?? seedDefault
  const outDir = await emptyOutDir(context)
  await mkdir(context.config.home, { recursive: true, mode: 0o711 })
  const directory = await mkdtemp(join(context.config.home, 'demo-'))
  const config = configOfDemo(context.config, directory)
  let service: AllRoles | undefined
  try {
    const { seconds, stage } = stagesOf(context)
    const populationDir = join(directory, 'population')
    await stage('generate', (onProgress) =>
      generatePopulation({
        persons,
        seed,
        outDir: populationDir,
        onProgress: ({ rowsSoFar }) => onProgress(rowsSoFar, persons * rowsPerPerson),
      }),
    )
    const log = createLog('demo', 'warn', tell)
    service = await stage('start', () => startAllRoles(config, { log, onLine: onLineOf(tell) }))
    const workDir = join(directory, 'agencies')
    await mkdir(workDir)
    const { url, failed } = service
    const whole = runWholeJob({
      config,
      service,
      populationDir,
      workDir,
      outDir,
      formats: ['parquet', 'csv'],
      examples: [...examplePolicies().values()],
      scratchRoot: await scratchRootOf(config, tell),
      stage,
      verifyTrail: (password) => takeAndVerify({ ...context, config }, { url, password, workDir }),
    })
    whole.catch(() => {}) // Whichever ends first tells; the others are let go.
    const outcome = await Promise.race([whole, failed, stopped(context.stop)])
    if (outcome === undefined) return 1
    return finish(context, { ...outcome, seconds })
  } finally {
    await service?.stop()
    if (!given.has('keep')) await rm(directory, { recursive: true, force: true })
    else print(`kept in ${directory}`)
  }
}

const rowsPerPerson = 84

function finish({ print, printJson, tell }: CommandContext, report: DemoReport): number {
  for (const line of linesOfReport(report)) print(line)
  const faults = faultsOf(report)
  for (const fault of faults) tell(`FAULT: ${fault}`)
  if (faults.length === 0) print('\nevery invariant holds; the trail is verified')
  printJson(report)
  return faults.length === 0 ? 0 : untrueExitCode
}

/** The demonstration has a home, a database and keyrings of its own, and any free port. */
function configOfDemo(config: Config, directory: string): Config {
  return {
    ...config,
    home: directory,
    keys: join(directory, 'keys'),
    tls: join(directory, 'tls'),
    port: 0,
    logLevel: 'warn',
  }
}

async function emptyOutDir({ config, given }: CommandContext): Promise<string> {
  const wanted = given.text('out')
  const outDir = resolve(wanted ?? join(config.home, 'demo-release'))
  const found = await readdir(outDir).catch(() => [])
  if (wanted === undefined) await rm(outDir, { recursive: true, force: true })
  else if (found.length > 0) {
    throw new Refusal('already-exists', 'The directory for the release is not empty. Name another.')
  }
  await mkdir(outDir, { recursive: true })
  await access(outDir, constants.W_OK | constants.X_OK) // Before minutes of work, not after.
  return outDir
}

/** Stages with their seconds and a line of progress each. */
function stagesOf(context: CommandContext): {
  seconds: Record<string, number>
  stage: <T>(name: string, act: (onProgress: OnProgress) => Promise<T>) => Promise<T>
} {
  const seconds: Record<string, number> = {}
  const stage = async <T>(
    name: string,
    act: (onProgress: OnProgress) => Promise<T>,
  ): Promise<T> => {
    const bar = progressBar(context, name)
    const began = performance.now()
    try {
      const result = await act((done, total) => bar.at(Math.min(done, total), total))
      bar.at(1, 1)
      return result
    } finally {
      bar.end()
      seconds[name] = (performance.now() - began) / 1000
    }
  }
  return { seconds, stage }
}

/** Of the processes only what they warn of is worth a line here. */
function onLineOf(tell: (line: string) => void): (line: string) => void {
  return (line) => tell(line)
}

/** The auditor's two commands, as an auditor runs them: take the trail out, then check the file with nothing else. */
async function takeAndVerify(
  context: CommandContext,
  at: { url: string; password: string; workDir: string },
): Promise<DemoReport['audit']> {
  const passwordFile = join(at.workDir, 'auditor.password')
  await writeFile(passwordFile, at.password, { mode: 0o600 })
  const out = join(at.workDir, 'trail.jsonl')
  const lines: string[] = []
  const run = async (name: string, command: Command, words: string[]): Promise<number> => {
    const given = argumentsOf(name, command, words)
    const printJson = (result: object): void => void lines.push(JSON.stringify(result))
    const code = await command.run({ ...context, given, print: () => {}, printJson })
    return code ?? 0
  }
  const signIn = ['--name', 'auditor', '--password-file', passwordFile, '--url', at.url]
  await run('audit export', auditExportCommand, ['--out', out, ...signIn])
  const code = await run('audit verify', auditVerifyCommand, [out, '--json'])
  const { size, root, verified }: DemoReport['audit'] = JSON.parse(lines.at(-1) ?? '{}')
  return { size, root, verified: verified && code === 0 }
}
