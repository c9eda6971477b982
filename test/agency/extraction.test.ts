import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import { type Client, openClient } from '../../src/agency/client.ts'
import { fetchExtraction } from '../../src/agency/extraction.ts'
import {
  makeAuthority,
  makeServerCertificate,
  signAgencyRequest,
} from '../../src/keys/certificate-authority.ts'
import { refuse } from './service.ts'

const validity = { now: new Date(), bits: 2048 as const }
const authority = await makeAuthority('Test authority', validity)
const serverKey = await makeServerCertificate(authority, ['localhost'], validity)
const enrolled = await makeCertificateRequest({ agency: 'hira', bits: 2048 })
const certificate = signAgencyRequest(
  authority,
  { agency: 'hira', requestPem: enrolled.requestPem },
  validity,
)

const linkage = '0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10'
const serials = Array.from({ length: 20_000 }, (_, at) => `S${String(at).padStart(11, '0')}`)
const list = Buffer.from(`${['serial', ...serials].join('\n')}\n`)
const digestOf = (bytes: Buffer): string =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`

/** A service that gives the answers in turn, the last again and again. */
async function started(
  t: Test,
  answers: ((response: ServerResponse) => void)[],
): Promise<{ client: Client; path: string; dir: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer(
    {
      cert: serverKey.certificatePem,
      key: serverKey.privateKeyPem,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)]
      asked.push(`${request.method} ${request.url}`)
      answer?.(response)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = openClient({
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca: authority.certificatePem,
    certificate,
    privateKey: enrolled.privateKeyPem,
    pauseMs: 10,
  })
  t.teardown(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  const dir = t.testdir({})
  return { client, path: join(dir, 'linked.csv'), dir, asked }
}

function give(response: ServerResponse, digest = digestOf(list)): void {
  const headers = { 'content-type': 'text/csv', 'content-length': list.length }
  response.writeHead(200, { ...headers, 'content-digest': digest }).end(list)
}

/** Half of it, and the connection is gone. */
function breakOff(response: ServerResponse): void {
  const headers = { 'content-type': 'text/csv', 'content-length': list.length }
  response.writeHead(200, { ...headers, 'content-digest': digestOf(list) })
  response.write(list.subarray(0, list.length / 2), () => response.destroy())
}

test('a list that breaks off half way is fetched again, whole', async (t) => {
  const given = await started(t, [breakOff, breakOff, give])
  t.equal(await fetchExtraction(given.client, { linkage }, given.path), linkage)
  t.ok(readFileSync(given.path).equals(list))
  t.same(given.asked, Array(3).fill(`GET /v1/linkages/${linkage}/extraction`))
  t.same(readdirSync(given.dir), ['linked.csv'], 'nothing unfinished is left')
})

test('a list that is not what the service says it is leaves nothing', async (t) => {
  const given = await started(t, [(response) => give(response, digestOf(Buffer.from('other')))])
  await t.rejects(fetchExtraction(given.client, { linkage }, given.path), {
    code: 'digest-differs',
  })
  t.equal(given.asked.length, 1)
  t.same(readdirSync(given.dir), [])
})

test('a refusal is the service’s own, and nothing is written', async (t) => {
  const given = await started(t, [
    (response) => refuse(response, 503, 'disk-full', {}),
    (response) => refuse(response, 403, 'outside-period', {}),
  ])
  await t.rejects(fetchExtraction(given.client, { linkage }, given.path), {
    code: 'outside-period',
  })
  t.equal(given.asked.length, 2, 'what may pass by itself is tried again')
  t.notOk(existsSync(given.path))
})

test('a service that stays away is an outage, and nothing is left', async (t) => {
  const given = await started(t, [breakOff])
  const error: unknown = await fetchExtraction(given.client, { linkage }, given.path).catch(
    (thrown: unknown) => thrown,
  )
  t.match(error, { message: 'no answer' })
  t.equal(given.asked.length, 7)
  t.same(readdirSync(given.dir), [])
})
