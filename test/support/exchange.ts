/** What agencies and people do with a service over HTTP, in the few steps that most tests need. */
import { createHash, createHmac } from 'node:crypto'
import type { Answer, ApiClient } from './api-client.ts'
import { until } from './until.ts'

/** A running service as tests see it: in one process or as real ones. */
export type Served = {
  /** Polls a job until it ends. */
  jobEnd: (client: ApiClient, job: string) => Promise<Answer>
}

/** How a job ended. */
export function jobEnd(client: ApiClient, job: string): Promise<Answer> {
  return until(async () => {
    const answer = await client.get(`/v1/jobs/${job}`)
    return ['done', 'failed', 'cancelled'].includes(answer.body.state) && answer
  }, 'the job has ended')
}

/** One part of a delivery: '' for keys. */
export type TestPart = {
  table: string
  number: number
  rows: number
  bytes: Buffer
  /** Default: CSV. */
  mediaType?: string
}

/** A made-up key: what an agency's tool would make of this identifier. */
export function testKey(identifier: string): string {
  return createHmac('sha256', 'a key of the agencies').update(identifier).digest('hex')
}

/** A part of CSV lines; the first is the header. */
export function csvPart(table: string, number: number, lines: readonly string[]): TestPart {
  return { table, number, rows: lines.length - 1, bytes: Buffer.from(`${lines.join('\n')}\n`) }
}

/** Where a part is uploaded to. */
export function partPath(delivery: string, { table, number }: TestPart): string {
  const where = table === '' ? 'keys' : table === '#notices' ? 'notices' : `tables/${table}`
  return `/v1/deliveries/${delivery}/${where}/${number}`
}

/** The manifest of parts as they are. */
export function manifestOf(parts: readonly TestPart[], wave = 1): ReturnType<typeof manifest> {
  return manifest(parts, wave)
}

function manifest(parts: readonly TestPart[], wave: number) {
  return {
    format: 'gyeol-manifest-1',
    wave,
    parts: parts.map(({ table, number, rows, bytes, mediaType = 'text/csv' }) => ({
      table,
      number,
      rows,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      mediaType,
    })),
  }
}

/** A proposal that the other custodian approves; resolves when the project is open. */
export async function openTestProject(
  [one, two]: readonly [ApiClient, ApiClient],
  proposal: { name: string } & Record<string, unknown>,
): Promise<void> {
  expect(await one.post('/v1/projects', { purpose: 'A test', ...proposal }), 201)
  const path = `/v1/projects/${proposal.name}`
  expect(await two.post(`${path}/approval`), 202)
  await until(async () => (await one.get(path)).body.state === 'open', 'the project is open')
}

/** Opens a delivery, uploads the parts and submits them. Without a part of keys it is one of tables only. */
export async function deliver(
  agency: ApiClient,
  project: string,
  parts: readonly TestPart[],
  wave = 1,
): Promise<{ delivery: string; job: string }> {
  const tablesOnly = !parts.some(({ table }) => table === '')
  const wanted = { wave, tablesOnly }
  const opened = expect(await agency.post(`/v1/projects/${project}/deliveries`, wanted), 201)
  const { delivery } = opened.body
  for (const part of parts) {
    const headers = part.mediaType === undefined ? {} : { 'content-type': part.mediaType }
    expect(await agency.put(partPath(delivery, part), part.bytes, headers), 201)
  }
  const path = `/v1/deliveries/${delivery}/submission`
  return { delivery, job: expect(await agency.post(path, manifestOf(parts, wave)), 202).body.job }
}

/** The answer, if it has this status. */
export function expect(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer
  throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
}

/** Links and assembles; the ids of both. */
export async function makeCohort(
  served: Served,
  operator: ApiClient,
  project: string,
): Promise<{ linkage: string; cohort: string }> {
  const linked = expect(await operator.post(`/v1/projects/${project}/linkages`), 202).body
  await ended(served, operator, linked.job)
  const body = { linkage: linked.linkage }
  const asked = expect(await operator.post(`/v1/projects/${project}/cohorts`, body), 202).body
  await ended(served, operator, asked.job)
  return { linkage: linked.linkage, cohort: asked.cohort }
}

/** Who reviews, decides and takes. */
export type Reviewers = {
  operator: ApiClient
  reviewers: readonly [ApiClient, ApiClient, ApiClient]
  head: ApiClient
  recipient: ApiClient
}

const terms = { recipient: 'recipient', purpose: 'A test', place: 'Safe room 1' }

/** Builds a release, has it reviewed and approved, and takes its files: name → bytes. */
export async function takeRelease(
  served: Served,
  { operator, reviewers, head, recipient }: Reviewers,
  { cohort, policy }: { cohort: string; policy: Record<string, unknown> },
): Promise<Map<string, Buffer>> {
  const validUntil = new Date(Date.now() + 86_400_000).toISOString()
  const wanted = { policy, ...terms, validUntil }
  const asked = expect(await operator.post(`/v1/cohorts/${cohort}/releases`, wanted), 202).body
  await ended(served, operator, asked.job)
  const path = `/v1/releases/${asked.release}`
  const { manifestSha256, files } = expect(await operator.get(path), 200).body
  for (const [index, kind] of ['relevance', 'recognisability', 'safety'].entries()) {
    const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
    const finding = { kind, manifestSha256, ...said }
    expect((await reviewers[index]?.post(`${path}/findings`, finding)) as Answer, 201)
  }
  const approval = { manifestSha256, ...terms, validUntil }
  await ended(served, operator, expect(await head.post(`${path}/approval`, approval), 202).body.job)
  const taken = new Map<string, Buffer>()
  for (const { name } of files) {
    taken.set(name, expect(await takeFile(recipient, path, name), 200).bytes)
  }
  return taken
}

/** A file of a release, or whatever else the service answers; with a reason, as it must be. */
export function takeFile(
  recipient: ApiClient,
  path: string,
  name: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return recipient.get(`${path}/files/${name}`, { 'gyeol-reason': 'A test', ...headers })
}

async function ended(served: Served, client: ApiClient, job: string): Promise<void> {
  const { body } = await served.jobEnd(client, job)
  if (body.state !== 'done') throw new Error(`the job failed: ${JSON.stringify(body)}`)
}
