/**
 * Uploads a prepared delivery and submits its manifest; one without keys rests on those that the agency sent before. Made
 * to be run again after any break: the delivery's id is kept beside the parts, the service says which parts it has, and
 * only the others are sent.
 */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { isOfKeys, type Manifest, type ManifestPart, manifestSchema } from '../core/manifest.ts'
import type { Client } from './client.ts'
import { partName, placeOf } from './parts.ts'

export type SubmitOptions = {
  client: Client
  /** The project's id or name. */
  project: string
  /** What `prepare` wrote. */
  dir: string
  /** How many parts are under way at once. Default 2. */
  uploadsMax?: number
  onProgress?: (progress: {
    parts: number
    partsTotal: number
    bytes: number
    bytesTotal: number
  }) => void
  signal?: AbortSignal
}

export type SubmitReport = {
  delivery: string
  /** The job that takes the delivery in; absent if it was submitted before. */
  job?: string
  uploaded: number
  /** Parts that were there already. */
  skipped: number
}

const deliverySchema = z.object({
  delivery: z.uuid(),
  wave: z.int(),
  state: z.enum(['open', 'submitted', 'taken', 'refused', 'withdrawn']),
  parts: z.array(z.object({ table: z.string(), number: z.int(), sha256: z.string() })),
})
type Delivery = z.infer<typeof deliverySchema>

/**
 * Sends what the service does not have yet, then the manifest.
 *
 * @throws {Refusal} `digest-differs` if a part was changed since it was prepared; `already-exists` if other parts than these
 *   were submitted for this wave; `input-malformed` if the directory holds no manifest; and whatever the service refuses.
 */
export async function submit(options: SubmitOptions): Promise<SubmitReport> {
  const { client, dir } = options
  const manifest = await manifestIn(dir)
  const delivery = await openedDelivery(options, manifest)
  const held = new Set(delivery.parts.map(nameOf))
  const missing = manifest.parts.filter((part) => !held.has(nameOf(part)))
  if (isClosed(delivery)) {
    if (missing.length > 0 || held.size > manifest.parts.length) throw submittedBefore(delivery)
    return { delivery: delivery.delivery, uploaded: 0, skipped: manifest.parts.length }
  }
  await uploadAll(options, delivery.delivery, { manifest, missing })
  const path = `/v1/deliveries/${delivery.delivery}/submission`
  const schema = z.object({ job: z.uuid() })
  const report = { uploaded: missing.length, skipped: manifest.parts.length - missing.length }
  try {
    const { job } = await client.ask('POST', path, { schema, body: manifest })
    return { delivery: delivery.delivery, job, ...report }
  } catch (error) {
    // The answer to an earlier try may have been lost on the way.
    if (!(error instanceof Refusal) || error.code !== 'state-conflict') throw error
    if (!isClosed(await shown(client, delivery.delivery))) throw error
    return { delivery: delivery.delivery, ...report }
  }
}

/** Two parts of one name are one part. */
function nameOf({ table, number, sha256 }: Pick<ManifestPart, 'table' | 'number' | 'sha256'>) {
  return `${table}/${number}/${sha256}`
}

function submittedBefore({ delivery, wave }: Delivery): Refusal {
  const sentence =
    'Other parts than these were submitted for this wave. Prepare them for the next wave.'
  return new Refusal('already-exists', sentence, { delivery, wave })
}

async function openedDelivery(
  { client, project, dir }: SubmitOptions,
  { wave, parts }: Manifest,
): Promise<Delivery> {
  const remembered = await rememberedIn(dir)
  if (remembered !== undefined) {
    const delivery = await shown(client, remembered).catch(notFoundAsUndefined)
    const isUsable = delivery !== undefined && (isClosed(delivery) || delivery.state === 'open')
    if (isUsable && delivery.wave === wave) return delivery
  }
  const path = `/v1/projects/${encodeURIComponent(project)}/deliveries`
  const body = { wave, tablesOnly: !parts.some(({ table }) => isOfKeys(table)) }
  const delivery = await client
    .ask('POST', path, { schema: deliverySchema, body })
    .catch((error: unknown) => {
      const id =
        error instanceof Refusal && error.code === 'already-exists' && error.details['delivery']
      if (typeof id !== 'string') throw error
      return shown(client, id)
    })
  await writeFile(
    join(dir, 'delivery.json'),
    `${JSON.stringify({ delivery: delivery.delivery })}\n`,
  )
  return delivery
}

async function uploadAll(
  { client, dir, uploadsMax = 2, onProgress, signal }: SubmitOptions,
  delivery: string,
  { manifest, missing }: { manifest: Manifest; missing: readonly ManifestPart[] },
): Promise<void> {
  const bytesOf = (parts: readonly ManifestPart[]) =>
    parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const [partsTotal, bytesTotal] = [manifest.parts.length, bytesOf(manifest.parts)]
  let parts = partsTotal - missing.length
  let bytes = bytesTotal - bytesOf(missing)
  const tell = () => onProgress?.({ parts, partsTotal, bytes, bytesTotal })
  tell()
  const left = missing.values()
  let hasFailed = false
  const uploadSome = async () => {
    for (const part of left) {
      if (hasFailed) return
      signal?.throwIfAborted()
      await upload(client, { dir, delivery, part })
      parts++
      bytes += part.bytes
      tell()
    }
  }
  const uploads = Array.from({ length: Math.max(1, uploadsMax) }, () =>
    uploadSome().catch((error: unknown) => {
      hasFailed = true
      throw error
    }),
  )
  // All settle before the first failure is told: no upload goes on behind the caller's back.
  const failed = (await Promise.allSettled(uploads)).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function upload(
  client: Client,
  { dir, delivery, part }: { dir: string; delivery: string; part: ManifestPart },
): Promise<void> {
  const { table, number, bytes, mediaType, sha256 } = part
  const below = placeOf(table)
  const path = join(dir, ...below, partName(number))
  const found = await stat(path).catch(() => undefined)
  if (found?.size !== bytes) {
    const sentence = 'A part is not as it was prepared. Prepare the delivery again.'
    throw new Refusal('digest-differs', sentence, { table, number })
  }
  const to = `/v1/deliveries/${delivery}/${below.join('/')}/${number}`
  await client.put(to, { path, bytes, mediaType, sha256 })
}

async function manifestIn(dir: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')))
  } catch (cause) {
    const sentence = 'The directory holds no manifest of a prepared delivery. Prepare it first.'
    throw new Refusal('input-malformed', sentence, {}, { cause })
  }
}

async function rememberedIn(dir: string): Promise<string | undefined> {
  const text = await readFile(join(dir, 'delivery.json'), 'utf8').catch(() => '{}')
  const parsed = z.object({ delivery: z.uuid() }).safeParse(JSON.parse(text))
  return parsed.success ? parsed.data.delivery : undefined
}

function shown(client: Client, delivery: string): Promise<Delivery> {
  return client.ask('GET', `/v1/deliveries/${delivery}`, { schema: deliverySchema })
}

function isClosed({ state }: Delivery): boolean {
  return state === 'submitted' || state === 'taken'
}

function notFoundAsUndefined(error: unknown): undefined {
  if (error instanceof Refusal && error.code === 'not-found') return undefined
  throw error
}
