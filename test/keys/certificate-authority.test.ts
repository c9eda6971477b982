import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { test } from 'tap'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import { spkiSha256Of } from '../../src/core/certificate-key.ts'
import {
  makeAuthority,
  makeServerCertificate,
  signAgencyRequest,
} from '../../src/keys/certificate-authority.ts'

const now = new Date()
const quick = { now, bits: 2048 } as const
const [ours, theirs] = await Promise.all([
  makeAuthority('Gyeol test', quick),
  makeAuthority('Gyeol test', quick),
])
const request = await makeCertificateRequest({ agency: 'nhis', bits: 2048 })

test('signs agencies in for TLS, and the server refuses those of another authority', async (t) => {
  const server = await makeServerCertificate(ours, ['localhost', '127.0.0.1', '::1'], quick)
  const https = createServer(
    {
      cert: server.certificatePem,
      key: server.privateKeyPem,
      ca: ours.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (incoming, response) => {
      const peer = (incoming.socket as TLSSocket).getPeerX509Certificate()
      response.end(peer === undefined ? 'nobody' : spkiSha256Of(peer).toString('hex'))
    },
  )
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  t.teardown(() => https.close())
  const { port } = https.address() as AddressInfo
  const call = async (host: string, cert?: string): Promise<string> => {
    const client = cert === undefined ? {} : { cert, key: request.privateKeyPem }
    const to = { host: '127.0.0.1', port, servername: host, ca: ours.certificatePem, agent: false }
    const sent = httpsRequest({ ...to, ...client }).end()
    const [response] = await once(sent, 'response')
    return (await response.setEncoding('utf8').toArray()).join('')
  }
  const agency = { agency: 'nhis', requestPem: request.requestPem }
  const certificate = signAgencyRequest(ours, agency, quick)
  const spki = createPublicKey(request.privateKeyPem).export({ format: 'der', type: 'spki' })
  const { createHash } = await import('node:crypto')
  t.equal(await call('localhost', certificate), createHash('sha256').update(spki).digest('hex'))
  t.equal(spkiSha256Of(certificate).toString('hex'), await call('localhost', certificate))
  await t.rejects(
    call('localhost', signAgencyRequest(theirs, agency, quick)),
    'of another authority',
  )
  await t.rejects(call('localhost'), 'without a certificate')
  await t.rejects(call('elsewhere.example', certificate), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const past = { ...quick, now: new Date(now.getTime() - 800 * 24 * 3600 * 1000) }
  await t.rejects(call('localhost', signAgencyRequest(ours, agency, past)), 'expired')
  await t.rejects(call('localhost', server.certificatePem), 'a key that is not its own')
})

test('says in a certificate what it is for and how long', async (t) => {
  const client = new X509Certificate(
    signAgencyRequest(ours, { agency: 'nhis', requestPem: request.requestPem }, quick),
  )
  const server = new X509Certificate(
    (await makeServerCertificate(ours, ['gyeol.example', '10.0.0.7'], quick)).certificatePem,
  )
  const root = new X509Certificate(ours.certificatePem)
  t.equal(client.subject, 'CN=nhis')
  t.same(client.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  t.same(server.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.equal(server.subjectAltName, 'DNS:gyeol.example, IP Address:10.0.0.7')
  t.same([root.ca, client.ca, server.ca], [true, false, false])
  for (const leaf of [client, server]) {
    t.ok(leaf.checkIssued(root))
    t.ok(leaf.verify(root.publicKey))
    t.notOk(leaf.verify(new X509Certificate(theirs.certificatePem).publicKey))
  }
  const days = (certificate: X509Certificate) =>
    Math.round((certificate.validToDate.getTime() - now.getTime()) / 86_400_000)
  t.same([days(root), days(client), days(server)], [3650, 730, 365])
  t.ok(client.validFromDate < now)
  t.match(client.serialNumber, /^[4-7][0-9A-F]{31}$/)
  t.not(client.serialNumber, server.serialNumber)
})

test('makes keys of 3,072 bits unless told otherwise', async (t) => {
  const { privateKeyPem } = await makeCertificateRequest({ agency: 'kdca' })
  t.equal(createPublicKey(privateKeyPem).asymmetricKeyDetails?.modulusLength, 3072)
})

test('believes the key of a request if it is signed with it, and its name never', async (t) => {
  const { requestPem } = request
  t.equal(
    new X509Certificate(signAgencyRequest(ours, { agency: 'hira', requestPem }, quick)).subject,
    'CN=hira',
  )
  const der = Buffer.from(requestPem.replace(/-----.*-----/g, ''), 'base64')
  const pemOf = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  t.ok(signAgencyRequest(ours, { agency: 'hira', requestPem: pemOf(der) }, quick))
  for (const at of [30, 100, 200, der.length - 20]) {
    const changed = Buffer.from(der)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.throws(() => signAgencyRequest(ours, { agency: 'hira', requestPem: pemOf(changed) }, quick), {
      code: 'input-malformed',
    })
  }
  for (const bad of [
    '',
    'x',
    'x'.repeat(20_000),
    ours.certificatePem,
    pemOf(der.subarray(0, 100)),
  ]) {
    t.throws(() => signAgencyRequest(ours, { agency: 'hira', requestPem: bad }, quick), {
      code: 'input-malformed',
    })
  }
})

test('refuses names that are none, and the wrong passphrase of its key', async (t) => {
  const { requestPem } = request
  t.throws(() => signAgencyRequest(ours, { agency: 'a\nb', requestPem }, quick), RangeError)
  for (const host of ['', 'a b', '-x', 'x..y', '../x', '국가.kr']) {
    await t.rejects(makeServerCertificate(ours, [host], quick), RangeError)
  }
  await t.rejects(makeServerCertificate(ours, [], quick), RangeError)
  await t.rejects(makeCertificateRequest({ agency: 'Not A Name' }), RangeError)
  const locked = await makeAuthority('Locked', quick, Buffer.from('the right one'))
  t.match(locked.privateKeyPem, /ENCRYPTED/)
  t.ok(signAgencyRequest(locked, { agency: 'nhis', requestPem }, quick))
  const wrong = { ...locked, passphrase: Buffer.from('the wrong one') }
  t.throws(() => signAgencyRequest(wrong, { agency: 'nhis', requestPem }, quick), {
    code: 'passphrase-wrong',
  })
})
