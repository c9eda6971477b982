/**
 * The whole job on this machine, every step by the interface its real caller uses: agencies over TLS with their
 * certificates, people with their sessions, an auditor with the exported trail. The demonstration and the bench run it.
 */
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { z } from 'zod'
import { makeAgenciesKey, readAgenciesKey } from '../../agency/agencies-key.ts'
import { defaultCatalogue } from '../../catalogue/load.ts'
import { canaryTableOf } from '../../core/canary-making.ts'
import { Refusal } from '../../core/errors.ts'
import type { Policy } from '../../core/policy.ts'
import { draftPolicy } from '../../core/policy-draft.ts'
import { koreanRecipe } from '../../core/recipe.ts'
import { createPool, type Pool } from '../../store/pool.ts'
import type { AllRoles } from '../all-roles.ts'
import type { Config } from '../config.ts'
import { askJson } from '../https-json.ts'
import { agencies, agencyNames, enrollAgencies } from './agencies.ts'
import { type Cast, deliverAll, type OnProgress, prepareAll } from './deliveries.ts'
import { judge } from './judge.ts'
import { type People, signEverybodyIn, untilDone } from './people.ts'
import { approveAndTake, buildRelease } from './releases.ts'
import type { DemoReport } from './report.ts'

export type WholeJob = {
  config: Config
  service: AllRoles
  /** Of `generatePopulation`. */
  populationDir: string
  /** For the agencies' deliveries and the people's files; must exist. */
  workDir: string
  /** Where the releases go, a directory each. */
  outDir: string
  formats: ('parquet' | 'csv')[]
  /** Policies of further releases of the same cohort. */
  examples?: Policy[]
  scratchRoot: string
  /** Runs one stage and takes its time; told how far it is. */
  stage: <T>(name: string, act: (onProgress: OnProgress) => Promise<T>) => Promise<T>
  /** Takes the trail out and checks it. */
  verifyTrail: (auditorPassword: string) => Promise<DemoReport['audit']>
}

export type WholeJobReport = Omit<DemoReport, 'seconds'>

const projectName = 'demo'
const idOf = { project: z.object({ project: z.uuid() }) }

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
    const { people } = cast
    const draft = draftPolicy(defaultCatalogue(), {
      name: 'demo',
      version: '1',
      formats: job.formats,
    })
    const built = await stage('release', (onProgress) =>
      buildRelease(people, { cohort, policy: draft }, onProgress),
    )
    const release = await stage('approve', () => approveAndTake(job, people, built))
    const { examples, refused } = await buildExamples(job, people, cohort)
    const audit = await stage('verify', () => job.verifyTrail(cast.people.passwords.auditor))
    return {
      project: cast.project,
      rows,
      linkage: { spine, agencies: judged },
      release,
      examples,
      refused,
      audit,
    }
  } finally {
    await pool.end()
  }
}

/** A release of each example policy. Of few persons a policy may have to refuse: its k cannot be met. */
async function buildExamples(
  job: WholeJob,
  people: People,
  cohort: string,
): Promise<Pick<WholeJobReport, 'examples' | 'refused'>> {
  const examples: WholeJobReport['examples'] = []
  const refused: string[] = []
  for (const policy of job.examples ?? []) {
    try {
      const made = await job.stage(policy.name, async (onProgress) => {
        const built = await buildRelease(people, { cohort, policy }, onProgress)
        return approveAndTake(job, people, built)
      })
      examples.push(made)
    } catch (error) {
      if (!(error instanceof Refusal) || error.details['code'] !== 'policy-refused') throw error
      refused.push(policy.name)
    }
  }
  return { examples, refused }
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
      keyTypes: ['K1', 'K2', 'K4'],
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
