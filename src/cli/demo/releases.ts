/** A release in the demonstration: built, reviewed, approved, taken, and checked by somebody who has only the package. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Policy } from '../../core/policy.ts'
import { download } from '../download.ts'
import { askJson, type Reach } from '../https-json.ts'
import { type People, untilDone } from './people.ts'
import type { DemoRelease } from './report.ts'

type Built = { release: string; policy: string }

const entry = fileURLToPath(new URL('../../main.ts', import.meta.url))
const periodDays = 90
const proofName = 'audit-proof.txt'
const proofTriesMax = 300
const terms = {
  recipient: 'recipient',
  purpose: 'Survival of cancer patients by treatment',
  place: 'Safe analysis space 1 / 안심활용센터 1',
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
type Shown = z.infer<typeof releaseSchema>

/** Asks for a release and waits until it is built. */
export async function buildRelease(
  { reach }: People,
  { cohort, policy }: { cohort: string; policy: Policy },
  onProgress: (done: number, total: number) => void,
): Promise<Built> {
  const validUntil = new Date(Date.now() + periodDays * 86_400_000).toISOString()
  const path = `/v1/cohorts/${cohort}/releases`
  const asked = { method: 'POST', path, body: { policy, ...terms, validUntil } } as const
  const schema = z.object({ release: z.uuid(), job: z.uuid() })
  const { release, job } = await askJson(reach.operator, asked, schema)
  await untilDone(reach.operator, job, onProgress)
  return { release, policy: policy.name }
}

/** Three findings, the head's approval, and the recipient takes every file and has the package checked. */
export async function approveAndTake(
  job: { outDir: string; service: { url: string; caPath: string } },
  { reach }: People,
  { release, policy }: Built,
): Promise<DemoRelease> {
  const path = `/v1/releases/${release}`
  const show = (): Promise<Shown> => askJson(reach.head, { method: 'GET', path }, releaseSchema)
  const { manifestSha256, validUntil, signatureKey } = await show()
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
  const approved = await askJson(reach.head, asked, z.object({ job: z.uuid() }))
  await untilDone(reach.operator, approved.job)
  const files = await provedFiles(show)
  const directory = join(job.outDir, policy)
  for (const file of files) await take(reach.recipient, { path, directory, file })
  const checkpoint = { method: 'GET', path: '/v1/audit/checkpoint' } as const
  const { verifierKey } = await askJson(
    reach.auditor,
    checkpoint,
    z.object({ verifierKey: z.string() }),
  )
  const keys = ['--key', signatureKey, '--verifier', verifierKey, '--ca', job.service.caPath]
  const checked = await checkedByAnother(directory, keys)
  return { release, policy, directory, manifestSha256, files, ...checked }
}

/** The files, once the proof of the publication is among them: a checkpoint must cover it first. */
async function provedFiles(show: () => Promise<Shown>): Promise<Shown['files']> {
  for (let tries = 0; tries < proofTriesMax; tries += 1) {
    const { files } = await show()
    if (files.some(({ name }) => name === proofName)) return files
    await delay(100)
  }
  throw new Error('no checkpoint covered the publication in time')
}

async function take(
  recipient: Reach,
  wanted: { path: string; directory: string; file: { name: string; sha256: string } },
): Promise<void> {
  const { name, sha256 } = wanted.file
  const target = join(wanted.directory, name)
  const reason = 'Demonstration / 시연'
  const taken = await download(recipient, `${wanted.path}/files/${name}`, { target, reason })
  if (taken.sha256 !== sha256)
    throw new Error('a file that was taken is not the one of the release')
}

const reportSchema = z.object({
  verified: z.boolean(),
  problems: z.array(z.object({ file: z.string(), sentence: z.string() })),
  unchecked: z.array(z.string()),
})

/** `gyeol release verify` as a process of its own: nothing in its environment, nothing but the package and public keys. */
async function checkedByAnother(
  directory: string,
  keys: string[],
): Promise<Pick<DemoRelease, 'verified' | 'doubts'>> {
  const words = [entry, 'release', 'verify', directory, ...keys, '--json']
  const child = spawn(process.execPath, words, { env: {}, stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += String(chunk)
  })
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const report = reportSchema.parse(JSON.parse(out))
  const problems = report.problems.map(({ file, sentence }) => `${file}: ${sentence}`)
  return { verified: report.verified && code === 0, doubts: [...problems, ...report.unchecked] }
}
