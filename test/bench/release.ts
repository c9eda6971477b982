/**
 * A release of a cohort of claims, from its parts in the vault to the signed package, in the real processes: opening,
 * policy, scan, order, measuring, sealing. Beside it, in the same run, the limit (release-limit.ts).
 *
 * Twice: `plain` has the columns that a first policy keeps; `rekeyed` has the numbers of claims and institutions as well,
 * which a release shows under numbers of its own. `peakMiB` is that of the worker after half the rows and after all of them.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import type { Catalogue } from '../../src/catalogue/schema.ts'
import { startAllRoles } from '../../src/cli/all-roles.ts'
import { configOf } from '../../src/cli/config.ts'
import { enrollAgencies } from '../../src/cli/demo/agencies.ts'
import { signEverybodyIn } from '../../src/cli/demo/people.ts'
import { createLog } from '../../src/cli/log.ts'
import type { Policy } from '../../src/core/policy.ts'
import { draftPolicy } from '../../src/core/policy-draft.ts'
import { createPool } from '../../src/store/pool.ts'
import { type ApiClient, createClient } from '../support/api-client.ts'
import { deliver, expect, makeCohort, openTestProject, type Served } from '../support/exchange.ts'
import { besideLimit, type Limit, meanOf, rounded, runLimit } from './beside-limit.ts'
import { watchProcesses } from './processes.ts'
import { type ClaimParts, makeClaimParts } from './release-parts.ts'

const statementsPerPerson = 20
/** Each look is a handshake of TLS, which costs both sides; how long a job took is read from the job. */
const pollMs = 500
const worker = 'work --side data'
const claimNumbers = ['MID', 'YKIHO']

type Cast = Served & { operator: ApiClient; custodians: readonly [ApiClient, ApiClient] } & Record<
    'ncc' | 'hira',
    ApiClient
  >
type Figures = { seconds: number; cpuSeconds: number; rowsPerSecond: number; peakMiB: number }

/** Builds releases of half and of all of `persons` × 20 statements. */
export async function benchRelease(options: {
  persons: number
  tell: (line: string) => void
}): Promise<Record<string, unknown>> {
  const { persons, tell } = options
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-bench-release-'))
  const config = configOf({
    GYEOL_HOME: join(directory, 'home'),
    GYEOL_PORT: '0',
    GYEOL_LOG_LEVEL: 'warn',
  })
  const rows = persons * statementsPerPerson
  tell(`parts of ${rows} statements`)
  const parts = await makeClaimParts(join(directory, 'parts'), { persons, rows })
  const watch = watchProcesses()
  const log = createLog('bench', 'warn', tell)
  const service = await startAllRoles(config, { log, onLine: tell })
  try {
    const cast = await enter(service, join(directory, 'people'))
    const build = async (project: string, policy: Policy, rowsOf: number): Promise<Figures> => {
      const figures = await built(cast, { cohort: cohorts[project] ?? '', policy }, watch)
      tell(`${project} ${policy.name} ${JSON.stringify(figures)}`)
      return { ...figures, rowsPerSecond: Math.round(rowsOf / figures.seconds) }
    }
    const cohorts: Record<string, string> = {}
    for (const [project, share] of [
      ['half', 0.5],
      ['whole', 1],
    ] as const) {
      tell(`${project}: delivered, linked, assembled`)
      cohorts[project] = await cohortOf(cast, project, parts, share)
    }
    const plain = policyOf('plain', [])
    const half = await build('half', plain, rows / 2)
    const limits = [limitOf(parts, directory, plain)]
    const whole = await build('whole', plain, rows)
    limits.push(limitOf(parts, directory, plain))
    const numbered = policyOf('rekeyed', claimNumbers)
    const rekeyed = await build('whole', numbered, rows)
    const limitOfRekeyed = limitOf(parts, directory, numbered)
    return {
      rows,
      ...besideLimit(whole, meanOf(limits)),
      rekeyed: besideLimit(rekeyed, limitOfRekeyed),
      half,
      peakMiB: { halfTheRows: half.peakMiB, allRows: whole.peakMiB },
    }
  } finally {
    await service.stop()
    watch.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function policyOf(name: string, numbers: readonly string[]): Policy {
  const draft = draftPolicy(defaultCatalogue(), { name, version: '1', formats: ['parquet'] })
  const { registration, statement } = draft.tables
  if (!registration || !statement) throw new Error('the default catalogue has both tables')
  const rekeyed = numbers.map((column) => [column, { rule: 'rekey' as const }])
  const columns = { ...statement.columns, ...Object.fromEntries(rekeyed) }
  return { ...draft, tables: { registration, statement: { columns } } }
}

function catalogueOf(names: readonly string[]): Catalogue {
  const { tables, ...about } = defaultCatalogue()
  const some = Object.entries(tables).filter(([name]) => names.includes(name))
  return { ...about, tables: Object.fromEntries(some) }
}

async function enter(
  service: Awaited<ReturnType<typeof startAllRoles>>,
  workDir: string,
): Promise<Cast> {
  mkdirSync(workDir)
  const ca = readFileSync(service.caPath)
  const caKey = readFileSync(join(service.home, 'tls', 'ca.key'), 'utf8')
  const { url } = service
  const pool = createPool({ connectionString: service.databaseUrls.admin, max: 2, name: 'bench' })
  try {
    const { reach } = await signEverybodyIn(pool, { url, ca: ca.toString() })
    await enrollAgencies({ url, ca: ca.toString(), caKey, pool }, workDir)
    const person = (name: keyof typeof reach): ApiClient =>
      createClient({ url, ca, token: reach[name].token ?? '' })
    const agency = (name: string): ApiClient =>
      createClient({
        url,
        ca,
        key: readFileSync(join(workDir, `${name}.key`)),
        cert: readFileSync(join(workDir, `${name}.pem`)),
      })
    return {
      operator: person('operator'),
      custodians: [person('custodian-one'), person('custodian-two')],
      ncc: agency('ncc'),
      hira: agency('hira'),
      jobEnd: jobEnd,
    }
  } finally {
    await pool.end()
  }
}

async function jobEnd(client: ApiClient, job: string): ReturnType<Served['jobEnd']> {
  for (;;) {
    const answer = await client.get(`/v1/jobs/${job}`)
    if (['done', 'failed'].includes(answer.body.state)) return answer
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

async function cohortOf(
  cast: Cast,
  project: string,
  parts: ClaimParts,
  share: number,
): Promise<string> {
  await openTestProject(cast.custodians, {
    name: project,
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue: catalogueOf(['registration', 'statement']),
    agencies: [
      { agency: 'ncc', isSpine: true, keyTypes: ['K1'] },
      { agency: 'hira', keyTypes: ['K1'] },
    ],
  })
  const some = parts.statements.slice(0, Math.ceil(parts.statements.length * share))
  for (const [agency, files] of [
    ['ncc', [parts.keys, parts.registration]],
    ['hira', [parts.keys, ...some]],
  ] as const) {
    const { job } = await deliver(
      cast[agency],
      project,
      files.map((file) => ({ ...file, bytes: readFileSync(file.path) })),
    )
    const { body } = await cast.jobEnd(cast.operator, job)
    if (body.result?.delivery !== 'taken') throw new Error('the delivery was refused')
  }
  return (await makeCohort(cast, cast.operator, project)).cohort
}

async function built(
  { operator, jobEnd }: Cast,
  { cohort, policy }: { cohort: string; policy: Policy },
  watch: ReturnType<typeof watchProcesses>,
): Promise<Omit<Figures, 'rowsPerSecond'>> {
  const validUntil = new Date(Date.now() + 86_400_000).toISOString()
  const terms = { recipient: 'recipient', purpose: 'A bench', place: 'Here', validUntil }
  const before = watch.cpuSeconds()
  const asked = await operator.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
  const { body } = await jobEnd(operator, expect(asked, 202).body.job)
  if (body.state !== 'done') throw new Error('the release was not built')
  const seconds = rounded((Date.parse(body.endedAt) - Date.parse(body.createdAt)) / 1000)
  const cpuSeconds = rounded(watch.cpuSeconds() - before)
  return { seconds, cpuSeconds, peakMiB: watch.peakMiB()[worker] ?? 0 }
}

function limitOf(parts: ClaimParts, directory: string, policy: Policy): Limit {
  const rules = Object.entries(policy.tables['statement']?.columns ?? {})
  const named = (is: (rule: string) => boolean): string =>
    rules.flatMap(([name, { rule }]) => (is(rule) ? [name] : [])).join(',')
  const columns = [named((rule) => rule !== 'drop'), named((rule) => rule === 'rekey')]
  const words = [join(directory, 'parts'), ...columns, parts.persons]
  const files = parts.statements.map(({ path }) => path)
  return runLimit('release-limit.ts', [...words, ...files])
}
