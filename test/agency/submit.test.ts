import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { type Test, test } from 'tap'
import {
  makeAgenciesKey,
  readAgenciesKey,
  writeCanaryTable,
} from '../../src/agency/agencies-key.ts'
import { askCanaries, askRecipe, canaryKeys } from '../../src/agency/canaries.ts'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import { type Client, openClient } from '../../src/agency/client.ts'
import { submit } from '../../src/agency/submit.ts'
import { answerCanaries, canaryTableSchema } from '../../src/core/canary-table.ts'
import type { Manifest } from '../../src/core/manifest.ts'
import { koreanRecipe } from '../../src/core/recipe.ts'
import {
  makeAuthority,
  makeServerCertificate,
  signAgencyRequest,
} from '../../src/keys/certificate-authority.ts'
import { project, refuse, Service } from './service.ts'

const validity = { now: new Date(), bits: 2048 as const }
const authority = await makeAuthority('Test authority', validity)
const serverKey = await makeServerCertificate(authority, ['localhost'], validity)
const enrolled = await makeCertificateRequest({ agency: 'hira', bits: 2048 })
const certificate = signAgencyRequest(
  authority,
  { agency: 'hira', requestPem: enrolled.requestPem },
  validity,
)

async function started(
  t: Test,
  change: object = {},
): Promise<{ service: Service; client: Client; url: string }> {
  const service = new Service()
  const server = createServer(
    {
      cert: serverKey.certificatePem,
      key: serverKey.privateKeyPem,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      service.answer(request, response).catch(() => response.destroy())
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const client = openClient({
    url,
    ca: authority.certificatePem,
    certificate,
    privateKey: enrolled.privateKeyPem,
    pauseMs: 10,
    ...change,
  })
  t.teardown(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return { service, client, url }
}

/** A delivery of keys and six parts of a table. */
async function delivery(t: Test): Promise<string> {
  const dir = t.testdir({ keys: {}, tables: { statement: {} } })
  const parts: Manifest['parts'] = []
  for (const [table, number] of [['', 1], ...[1, 2, 3, 4, 5, 6].map((n) => ['statement', n])] as [
    string,
    number,
  ][]) {
    const bytes = randomBytes(300_000 + number)
    const name = `part-0000${number}.parquet`
    await writeFile(join(dir, table === '' ? 'keys' : `tables/${table}`, name), bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    parts.push({
      table,
      number,
      rows: 1,
      bytes: bytes.length,
      sha256,
      mediaType: 'application/vnd.apache.parquet',
    })
  }
  await writeFile(
    join(dir, 'manifest.json'),
    JSON.stringify({ format: 'gyeol-manifest-1', wave: 1, parts }),
  )
  return dir
}

test('uploads every part with its digest, then submits the manifest', async (t) => {
  const { service, client } = await started(t)
  const dir = await delivery(t)
  const told: number[] = []
  const report = await submit({ client, project, dir, onProgress: ({ parts }) => told.push(parts) })
  t.match(report, { delivery: service.delivery, job: String, uploaded: 7, skipped: 0 })
  t.equal(service.state, 'submitted')
  t.same(told, [0, 1, 2, 3, 4, 5, 6, 7])
  for (const part of service.manifest?.parts ?? [])
    t.match(service.parts.get(`${part.table}/${part.number}`), {
      sha256: part.sha256,
      bytes: part.bytes,
    })
  const again = await submit({ client, project, dir })
  t.same(again, { delivery: service.delivery, uploaded: 0, skipped: 7 }, 'again: nothing to do')
})

test('a cut upload is repeated by itself, and it says so', async (t) => {
  const left: number[] = []
  const onPause = (error: Error, { triesLeft }: { triesLeft: number }): void => {
    t.match(error.cause, { code: /ECONNRESET|EPIPE/ })
    left.push(triesLeft)
  }
  const { service, client } = await started(t, { onPause })
  let cuts = 0
  service.meddle = async ({ method, request }) => {
    if (method !== 'PUT' || cuts >= 3) return false
    cuts++
    for await (const _ of request) break // After the first bytes.
    request.socket.destroy()
    return true
  }
  await submit({ client, project, dir: await delivery(t) })
  t.equal(cuts, 3)
  t.equal(left.length, 3)
  t.ok(left.every((tries) => tries > 0))
  t.equal(service.parts.size, 7)
})

test('run again after a break, sends only what is missing', async (t) => {
  const { service, client } = await started(t, { triesMax: 1 })
  const dir = await delivery(t)
  service.meddle = ({ path, response }) => {
    if (!path.endsWith('/statement/4')) return false
    response.destroy()
    return true
  }
  await t.rejects(submit({ client, project, dir, uploadsMax: 1 }), { message: 'no answer' })
  t.equal(service.parts.size, 4)
  service.meddle = () => false
  service.asked.length = 0
  t.match(await submit({ client, project, dir }), { uploaded: 3, skipped: 4 })
  t.notOk(
    service.asked.some((asked) => asked.endsWith('/deliveries')),
    'the delivery is remembered',
  )
  await rm(join(dir, 'delivery.json'))
  service.state = 'open'
  t.match(
    await submit({ client, project, dir }),
    { uploaded: 0, skipped: 7 },
    'or found by the service',
  )
})

test('refuses a delivery for a wave for which another was submitted', async (t) => {
  const { service, client } = await started(t)
  await submit({ client, project, dir: await delivery(t) })
  const before = structuredClone(service.parts)
  await rm(t.testdirName, { recursive: true })
  await t.rejects(submit({ client, project, dir: await delivery(t) }), {
    code: 'already-exists',
    details: { delivery: service.delivery, wave: 1 },
  })
  t.same(service.parts, before, 'nothing was sent')
})

test('waits and asks again when the service is busy, as long as it says', async (t) => {
  const { service, client } = await started(t)
  let busy = 0
  service.meddle = ({ response, path }) => {
    if (!path.endsWith('/recipe') || ++busy > 3) return false
    response.writeHead(busy === 1 ? 503 : 429, busy === 1 ? { 'retry-after': '1' } : {}).end()
    return true
  }
  const start = performance.now()
  t.same((await askRecipe(client, project)).keyTypes, ['K1', 'K4'])
  t.equal(busy, 4)
  t.ok(performance.now() - start > 1000)
})

test('a lost answer to the submission is not an error', async (t) => {
  const { service, client } = await started(t)
  let lost = false
  service.meddle = async ({ path, request, response }) => {
    if (!path.endsWith('/submission') || lost) return false
    lost = true
    await request.toArray()
    service.state = 'submitted'
    response.destroy()
    return true
  }
  t.match(await submit({ client, project, dir: await delivery(t) }), { uploaded: 7 })
  t.ok(lost)
})

test('passes on what the service refuses, also in the middle of a body', async (t) => {
  const { service, client } = await started(t)
  service.meddle = ({ method, request, response }) => {
    if (method !== 'PUT') return false
    refuse(response, 409, 'manifest-differs', { number: 1 })
    request.resume()
    return true
  }
  await t.rejects(submit({ client, project, dir: await delivery(t) }), {
    code: 'manifest-differs',
    message: 'A fixed sentence.',
    details: { number: 1 },
  })
  t.equal(service.state, 'open')
})

test('refuses a part that was changed or a directory without a manifest', async (t) => {
  const { client } = await started(t)
  const dir = await delivery(t)
  await writeFile(join(dir, 'tables/statement/part-00002.parquet'), 'short')
  await t.rejects(submit({ client, project, dir, uploadsMax: 1 }), {
    code: 'digest-differs',
    details: { table: 'statement', number: 2 },
  })
  await mkdir(join(dir, 'empty'))
  await t.rejects(submit({ client, project, dir: join(dir, 'empty') }), { code: 'input-malformed' })
})

test('stops when asked', async (t) => {
  const stop = new AbortController()
  const { service, client } = await started(t, { signal: stop.signal })
  service.meddle = ({ method }) => {
    if (method === 'PUT') stop.abort()
    return method === 'PUT'
  }
  await t.rejects(submit({ client, project, dir: await delivery(t), signal: stop.signal }), {
    name: 'AbortError',
  })
})

test('shows its certificate and believes no other authority', async (t) => {
  const { service, client, url } = await started(t, { triesMax: 1 })
  let name: unknown
  service.meddle = ({ request }) => {
    name = (request.socket as TLSSocket).getPeerCertificate().subject.CN
    return false
  }
  await askRecipe(client, project)
  t.equal(name, 'hira')
  const stranger = openClient({ url, certificate, privateKey: enrolled.privateKeyPem, triesMax: 1 })
  t.teardown(() => stranger.close())
  await t.rejects(askRecipe(stranger, project), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  t.throws(() => openClient({ url: 'http://localhost', certificate, privateKey: '' }), {
    code: 'option-unknown',
  })
})

test('the ceremony gives a key that only its owner reads and a table that knows right from wrong', async (t) => {
  const { service, client } = await started(t)
  const dir = t.testdir({})
  const path = join(dir, 'agencies.key')
  await makeAgenciesKey(path)
  t.equal((await stat(path)).mode & 0o777, 0o600)
  await t.rejects(makeAgenciesKey(path), { code: 'already-exists' })
  const key = await readAgenciesKey(path)
  t.equal(key.length, 32)
  await writeCanaryTable(join(dir, 'canaries.json'), koreanRecipe, key)
  const text = await readFile(join(dir, 'canaries.json'), 'utf8')
  t.notOk(text.includes(Buffer.from(key).toString('hex')))
  service.canaries = JSON.parse(text)
  t.match(await askCanaries(client, project, key), { isRight: true })
  const wrong = await askCanaries(client, project, randomBytes(32))
  t.equal(wrong.isRight, false)
  t.same(
    new Set(wrong.answers.map(({ verdict }) => verdict)),
    new Set(['unknown', 'right']),
    'the empty one is right',
  )
  const whole = await canaryKeys(koreanRecipe, ['K1', 'K2', 'K4'], key)
  t.ok(answerCanaries(canaryTableSchema.parse(JSON.parse(text)), whole).isRight)
  await chmod(path, 0o644)
  await t.rejects(readAgenciesKey(path), { code: 'keyring-refused' })
  await chmod(path, 0o600)
  await writeFile(path, 'something else')
  await t.rejects(readAgenciesKey(path), { code: 'keyring-refused' })
})
