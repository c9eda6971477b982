/**
 * The whole job on this machine, every step by the interface its real caller uses: agencies over TLS with their certificates,
 * people with their sessions, an auditor with the exported trail. The demonstration and the bench run it.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { z } from 'zod'
import { makeAgenciesKey, readAgenciesKey } from '../../agency/agencies-key.ts'
import type { Client } from '../../agency/client.ts'
import { submit } from '../../agency/submit.ts'
import { defaultCatalogue } from '../../catalogue/load.ts'
import { canaryTableOf } from '../../core/canary-making.ts'
import { draftPolicy } from '../../core/policy-draft.ts'
import { koreanRecipe } from '../../core/recipe.ts'
import { createPool, type Pool } from '../../store/pool.ts'
import type { AllRoles } from '../all-roles.ts'
import type { Config } from '../config.ts'
import { download } from '../download.ts'
import { askJson, type Reach } from '../https-json.ts'
import { type AgencyName, agencies, agencyNames, enrollAgencies, prepareAt } from './agencies.ts'
import { judge } from './judge.ts'
import { type People, signEverybodyIn, untilDone } from './people.ts'
import type { DemoReport } from './report.ts'

export type WholeJob = {
  config: Config
  service: AllRoles
  /** Of `generatePopulation`. */
  populationDir: string
  /** For the agencies' deliveries and the people's files; must exist. */
  workDir: string
  /** Where the release goes. */
  outDir: string
  formats: ('parquet' | 'csv')[]
  scratchRoot: string
  /** Runs one stage and takes its time; told how far it is. */
  stage: <T>(name: string, act: (onProgress: OnProgress) => Promise<T>) => Promise<T>
  /** Takes the trail out and checks it. */
  verifyTrail: (auditorPassword: string) => Promise<DemoReport['audit']>
}

export type OnProgress = (done: number, total: number) => void
export type WholeJobReport = Omit<DemoReport, 'seconds'>

const projectName = 'demo'
const idOf = { project: z.object({ project: z.uuid() }), job: z.object({ job: z.uuid() }) }
const periodDays = 90

/** Does it all, stage by stage. */
export async function runWholeJob(job: WholeJob): Promise<WholeJobReport> {
  const { service, stage } = job
  const pool = createPool({ connectionString: service.databaseUrls.admin, max: 2, name: 'demo' })
  try {
    const cast = await stage('set up', () => setUp(job, pool))
    const prepared = await stage('prepare', (onProgress) => prepareAll(job, cast, onProgress))
    const rows = await stage('deliver', (onProgress) => deliverAll(job, cast, onProgress))
    const { linkage, spine } = await stage('link', () => link(cast))
    const judged = await stage('compare', () => compare(job, pool, { linkage, prepared }))
    const cohort = await stage('assemble', (onProgress) => assemble(cast, linkage, onProgress))
    const release = await stage('release', (onProgress) => build(job, cast, cohort, onProgress))
    const files = await stage('approve', () => approveAndTake(job, cast, release))
    const audit = await stage('verify', () => job.verifyTrail(cast.people.passwords.auditor))
    return {
      project: cast.project,
      rows,
      linkage: { spine, agencies: judged },
      release: { release, directory: job.outDir, ...files },
      audit,
    }
  } finally {
    await pool.end()
  }
}

type Cast = {
  people: People
  clients: Record<AgencyName, Client>
  agenciesKey: Uint8Array
  project: string
}

/** Certificates, people, the key ceremony, and a project that two custodians agree on. */
async function setUp(job: WholeJob, pool: Pool): Promise<Cast> {
  const { service, config, workDir } = job
  const ca = readFileSync(service.caPath, 'utf8')
  const caKey = readFileSync(join(config.tls, 'ca.key'), 'utf8')
  const people = await signEverybodyIn(pool, { url: service.url, ca })
  const clients = await enrollAgencies({ url: service.url, ca, caKey, pool }, workDir)
  const keyPath = join(workDir, 'agencies.key')
  await rm(keyPath, { force: true })
  await makeAgenciesKey(keyPath)
  const agenciesKey = await readAgenciesKey(keyPath)
  const project = await openProject(people, agenciesKey)
  return { people, clients, agenciesKey, project }
}

async function openProject({ reach }: People, agenciesKey: Uint8Array): Promise<string> {
  const proposal = {
    name: projectName,
    purpose: 'Demonstration: outcome of cancer by treatment, infection and vaccination',
    catalogue: defaultCatalogue(),
    recipe: koreanRecipe,
    canaries: canaryTableOf(agenciesKey, koreanRecipe, (text) => iconv.encode(text, 'cp949')),
    agencies: agencyNames.map((agency) => ({
      agency,
      isSpine: agencies[agency].isSpine,
      isDuplicateFree: agencies[agency].isDuplicateFree,
      keyTypes: ['K1', 'K4'],
    })),
  }
  const asked = { method: 'POST', path: '/v1/projects', body: proposal } as const
  const { project } = await askJson(reach['custodian-one'], asked, idOf.project)
  const approval = { method: 'POST', path: `/v1/projects/${project}/approval` } as const
  await askJson(reach['custodian-two'], approval, z.unknown())
  const state = z.object({ state: z.string() })
  for (;;) {
    const path = `/v1/projects/${project}`
    if ((await askJson(reach.operator, { method: 'GET', path }, state)).state === 'open') break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return project
}

async function prepareAll(
  job: WholeJob,
  cast: Cast,
  onProgress: OnProgress,
): Promise<Record<string, string>> {
  const dirs: Record<string, string> = {}
  for (const [index, agency] of agencyNames.entries()) {
    const outDir = join(job.workDir, 'deliveries', agency)
    await mkdir(join(job.workDir, 'deliveries'), { recursive: true })
    await prepareAt({
      agency,
      client: cast.clients[agency],
      project: cast.project,
      agenciesKey: cast.agenciesKey,
      sourceDir: join(job.populationDir, agency),
      outDir,
      onProgress: (done, total) => onProgress(index + done / total, agencyNames.length),
    })
    dirs[agency] = outDir
  }
  return dirs
}

const deliverySchema = z.object({
  state: z.string(),
  parts: z.array(z.object({ table: z.string(), rowsTaken: z.number().nullable() })),
})

/** Uploads and submits every delivery, and waits until the service has taken it in. */
async function deliverAll(
  job: WholeJob,
  cast: Cast,
  onProgress: OnProgress,
): Promise<DemoReport['rows']> {
  const taken: DemoReport['rows'] = {}
  const submitted: { agency: AgencyName; delivery: string; job: string }[] = []
  for (const [index, agency] of agencyNames.entries()) {
    const client = cast.clients[agency]
    const dir = join(job.workDir, 'deliveries', agency)
    const report = await submit({ client, project: cast.project, dir })
    submitted.push({ agency, delivery: report.delivery, job: report.job ?? '' })
    onProgress(index + 1, 2 * agencyNames.length)
  }
  const { operator } = cast.people.reach
  for (const [index, { agency, delivery, job: intake }] of submitted.entries()) {
    await untilDone(operator, intake)
    const path = `/v1/deliveries/${delivery}`
    const shown = await askJson(operator, { method: 'GET', path }, deliverySchema)
    if (shown.state !== 'taken') throw new Error(`the delivery of ${agency} was refused`)
    const tables: Record<string, number> = {}
    for (const { table, rowsTaken } of shown.parts) {
      const name = table === '' ? 'keys' : table
      tables[name] = (tables[name] ?? 0) + (rowsTaken ?? 0)
    }
    taken[agency] = tables
    onProgress(agencyNames.length + index + 1, 2 * agencyNames.length)
  }
  return taken
}

async function link(cast: Cast): Promise<{ linkage: string; spine: number }> {
  const { operator } = cast.people.reach
  const asked = { method: 'POST', path: `/v1/projects/${cast.project}/linkages` } as const
  const schema = z.object({ linkage: z.uuid(), job: z.uuid() })
  const { linkage, job } = await askJson(operator, asked, schema)
  await untilDone(operator, job)
  const path = `/v1/linkages/${linkage}`
  const persons = z.object({ persons: z.number() })
  return { linkage, spine: (await askJson(operator, { method: 'GET', path }, persons)).persons }
}

async function compare(
  { config, populationDir, scratchRoot }: WholeJob,
  pool: Pool,
  { linkage, prepared }: { linkage: string; prepared: Record<string, string> },
): Promise<DemoReport['linkage']['agencies']> {
  const judged = await judge({
    config,
    pool,
    linkage,
    populationDir,
    preparedDirs: prepared,
    scratchRoot,
  })
  return Object.fromEntries(
    Object.entries(judged).map(([agency, of]) => [
      agency,
      { ...of, rate: of.delivered === 0 ? 0 : of.linked / of.delivered },
    ]),
  )
}

async function assemble(cast: Cast, linkage: string, onProgress: OnProgress): Promise<string> {
  const { operator } = cast.people.reach
  const path = `/v1/projects/${cast.project}/cohorts`
  const schema = z.object({ cohort: z.uuid(), job: z.uuid() })
  const asked = { method: 'POST', path, body: { linkage } } as const
  const { cohort, job } = await askJson(operator, asked, schema)
  await untilDone(operator, job, onProgress)
  return cohort
}

const terms = {
  recipient: 'recipient',
  purpose: 'Survival of cancer patients by treatment',
  place: 'Safe analysis space 1 / 안심활용센터 1',
}

async function build(
  { formats }: WholeJob,
  cast: Cast,
  cohort: string,
  onProgress: OnProgress,
): Promise<string> {
  const { operator } = cast.people.reach
  const policy = draftPolicy(defaultCatalogue(), { name: 'demo', version: '1', formats })
  const validUntil = new Date(Date.now() + periodDays * 86_400_000).toISOString()
  const path = `/v1/cohorts/${cohort}/releases`
  const asked = { method: 'POST', path, body: { policy, ...terms, validUntil } } as const
  const schema = z.object({ release: z.uuid(), job: z.uuid() })
  const { release, job } = await askJson(operator, asked, schema)
  await untilDone(operator, job, onProgress)
  return release
}

const releaseSchema = z.object({
  manifestSha256: z.string(),
  validUntil: z.string(),
  signatureKey: z.string(),
  files: z.array(
    z.object({
      name: z.string(),
      bytes: z.number(),
      rows: z.number().nullable(),
      sha256: z.string(),
    }),
  ),
})

/** Three findings, the head's approval, and the recipient takes and checks every file. */
async function approveAndTake(
  { outDir }: WholeJob,
  cast: Cast,
  release: string,
): Promise<Pick<DemoReport['release'], 'manifestSha256' | 'files'>> {
  const { reach } = cast.people
  const path = `/v1/releases/${release}`
  const shown = await askJson(reach.head, { method: 'GET', path }, releaseSchema)
  const { manifestSha256, validUntil } = shown
  const reviews = [
    ['reviewer-one', 'relevance'],
    ['reviewer-two', 'recognisability'],
    ['reviewer-three', 'safety'],
  ] as const
  for (const [reviewer, kind] of reviews) {
    const reason = 'Looked at manifest, policy and description'
    const body = { kind, verdict: 'pass', reason, manifestSha256, declaresNoInterest: true }
    const asked = { method: 'POST', path: `${path}/findings`, body } as const
    await askJson(reach[reviewer], asked, z.unknown())
  }
  const approval = { manifestSha256, validUntil, ...terms }
  const asked = { method: 'POST', path: `${path}/approval`, body: approval } as const
  const { job } = await askJson(reach.head, asked, idOf.job)
  await untilDone(reach.operator, job)
  for (const file of shown.files) await take(reach.recipient, { path, outDir, file })
  await requireSigned(outDir, shown)
  return { manifestSha256, files: shown.files }
}

async function take(
  recipient: Reach,
  wanted: { path: string; outDir: string; file: { name: string; sha256: string } },
): Promise<void> {
  const { name, sha256 } = wanted.file
  const target = join(wanted.outDir, name)
  const taken = await download(recipient, `${wanted.path}/files/${name}`, {
    target,
    reason: 'Demonstration / 시연',
  })
  if (taken.sha256 !== sha256)
    throw new Error('a file that was taken is not the one of the release')
}

/** The recipient's own check: the manifest is the one approved, and the service's key signed it. */
async function requireSigned(outDir: string, shown: z.infer<typeof releaseSchema>): Promise<void> {
  const manifest = await readFile(join(outDir, 'manifest.json'))
  const signature = await readFile(join(outDir, 'manifest.json.sig'), 'utf8')
  const digest = createHash('sha256').update(manifest).digest('hex')
  const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex') // RFC 8410: Ed25519.
  const key = createPublicKey({
    key: Buffer.concat([spkiPrefix, Buffer.from(shown.signatureKey, 'base64')]),
    format: 'der',
    type: 'spki',
  })
  const isSigned = verify(null, manifest, key, Buffer.from(signature, 'base64'))
  if (digest !== shown.manifestSha256 || !isSigned) {
    throw new Error('the manifest is not the one that was approved')
  }
}
