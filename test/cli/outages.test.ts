import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import { outageSentence } from '../../src/cli/outages.ts'
import { makeAuthority, signAgencyRequest } from '../../src/keys/certificate-authority.ts'
import { gyeol, temporaryDirectory } from '../support/gyeol.ts'

/** An error as a driver throws it. */
function thrown(code: string, cause?: unknown): Error {
  return Object.assign(new Error('a message with a secret', { cause }), { code })
}

test('an outage is told by a sentence, its code and nothing of its message', async (t) => {
  for (const code of ['ECONNREFUSED', 'EACCES', '28P01', 'SELF_SIGNED_CERT_IN_CHAIN', 'ENOSPC']) {
    const told = outageSentence(thrown(code))
    t.match(told, new RegExp(`^[A-Z].*\\. \\(${code}\\)$`))
    t.notMatch(told, 'secret')
  }
  t.equal(outageSentence(new Error('a defect')), undefined)
  t.equal(outageSentence(thrown('ERR_INVALID_ARG_TYPE')), undefined)
})

test('what an outage was caused by is told, not what came of it', async (t) => {
  t.match(outageSentence(thrown('NO_ANSWER', thrown('ECONNREFUSED'))), 'ECONNREFUSED')
  t.match(outageSentence(thrown('NO_ANSWER')), 'Try again later')
})

test('mistakes with files, addresses and certificates end with a sentence and no stack', async (t) => {
  const directory = temporaryDirectory(t)
  const at = (name: string): string => join(directory, name)
  const validity = { now: new Date(), bits: 2048 as const }
  const authority = await makeAuthority('Test authority', validity)
  const request = await makeCertificateRequest({ agency: 'nhis', bits: 2048 })
  const certificate = signAgencyRequest(authority, { agency: 'nhis', ...request }, validity)
  const other = await makeCertificateRequest({ agency: 'hira', bits: 2048 })
  writeFileSync(at('nhis.pem'), certificate)
  writeFileSync(at('nhis.key'), request.privateKeyPem)
  writeFileSync(at('hira.key'), other.privateKeyPem)
  writeFileSync(at('file'), 'no PEM')
  mkdirSync(at('directory'))
  const ask = (url: string, certificateName: string, keyName: string): string[] => [
    ...['agency', 'recipe', '--project', 'x', '--out', at('recipe.json'), '--url', url],
    ...['--certificate', at(certificateName), '--private-key', at(keyName)],
  ]
  const mistakes: [string[], RegExp][] = [
    [['agency', 'enroll', '--agency', 'x', '--out', at('file')], /Check the paths/],
    [['agency', 'ceremony', '--key', at('no/key'), '--canaries', at('c')], /Check the paths/],
    [['agency', 'canary', '--project', 'x', '--agencies-key', at('none')], /Check the paths/],
    [['audit', 'verify', at('directory')], /Check the paths/],
    [['demo', '--out', at('file')], /Check the paths/],
    [ask('nowhere', 'nhis.pem', 'nhis.key'), /https:\/\/host/],
    [ask('https://127.0.0.1:1', 'file', 'nhis.key'), /Name both files of one pair/],
    [ask('https://127.0.0.1:1', 'nhis.pem', 'hira.key'), /Name both files of one pair/],
  ]
  const endings = await Promise.all(mistakes.map(([words]) => gyeol(words)))
  for (const [index, { code, out, err }] of endings.entries()) {
    t.not(code, 0)
    t.equal(out, '')
    t.match(err, mistakes[index]?.[1])
    t.notMatch(err, /^\s+at |should not/m)
  }
})
