import { createPrivateKey, sign } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { createSigner } from '../../src/actions/publish-checkpoint.ts'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { openCheckpoint } from '../../src/core/checkpoint.ts'
import { cosignatureLine, cosignersOf } from '../../src/core/cosignature.ts'
import type { Answer } from '../support/api-client.ts'
import { deliver, expect, makeCohort, takeFile } from '../support/exchange.ts'
import { gyeol, temporaryDirectory } from '../support/gyeol.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { makeTestWitness, type TestWitness } from '../support/witness.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

const people = 12
const policy = {
  name: 'witnessed',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns: { code: { rule: 'keep' } } } },
}
const origin = 'gyeol.test/trail'

test('witnesses', async (t) => {
  const stage = await startHttpStage(t, { cosignaturesMin: 2 })
  const { service, operator, spine, other } = stage
  const parts = [keysPart(people), tablePart('cases', people)]
  for (const { job } of [
    await deliver(other, 'hostile', [keysPart(people)]),
    await deliver(spine, 'hostile', parts),
  ]) {
    await service.jobEnd(operator, job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const { reviewers, head, recipient } = await reviewersOf(service, operator)
  const auditor = await service.person('auditor', ['auditor'])
  const admin = service.database.pool('admin', 2)
  await service.signer.publish()
  const checkpoint = async (): Promise<{ size: number; note: string; verifierKey: string }> =>
    expect(await auditor.get('/v1/audit/checkpoint'), 200).body
  const logKey = (await checkpoint()).verifierKey
  const home = temporaryDirectory(t)
  const one = await makeTestWitness(home, 'witness.example/one', logKey)
  const two = await makeTestWitness(home, 'witness.example/two', logKey)
  const witnessesPath = '/v1/projects/hostile/witnesses'
  const keysFile = join(home, 'witnesses')
  writeFileSync(keysFile, `${one.verifierKey}\r\n${two.verifierKey}\n`) // One of an editor that ends lines so.

  const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
  type Asked = { path: string; approve: () => Promise<Answer> }
  const reviewed = async (): Promise<Asked> => {
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy, ...terms, validUntil }
    const asked = expect(await operator.post(`/v1/cohorts/${cohort}/releases`, wanted), 202).body
    await service.jobEnd(operator, asked.job)
    const path = `/v1/releases/${asked.release}`
    const { manifestSha256 } = expect(await operator.get(path), 200).body
    for (const [index, kind] of ['relevance', 'recognisability', 'safety'].entries()) {
      const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
      const answer = await reviewers[index]?.post(`${path}/findings`, {
        kind,
        manifestSha256,
        ...said,
      })
      t.equal(answer?.status, 201)
    }
    const approval = { manifestSha256, ...terms, validUntil }
    return { path, approve: () => head.post(`${path}/approval`, approval) }
  }

  await t.test('are registered by a custodian, on record, and retired', async (t) => {
    const register = (by: typeof operator, verifierKey: string): Promise<Answer> =>
      by.post(witnessesPath, { verifierKey })
    t.equal((await register(auditor, one.verifierKey)).status, 403)
    t.equal((await register(operator, logKey)).status, 400, 'the key of a log is none')
    t.equal((await one.look(spine)).code, exitCodes['signature-wrong'], 'nobody registered it')
    expect(await register(operator, one.verifierKey), 201)
    t.equal((await register(operator, one.verifierKey)).status, 409)
    const passing = await makeTestWitness(home, 'witness.example/passing', logKey)
    expect(await register(operator, passing.verifierKey), 201)
    expect(await operator.delete(`${witnessesPath}/${encodeURIComponent(passing.name)}`), 204)
    t.equal((await operator.delete(`${witnessesPath}/nobody`)).status, 404)
    t.equal((await register(operator, passing.verifierKey)).status, 409, 'retired for good')
    t.equal((await passing.look(spine)).code, exitCodes['signature-wrong'])
    expect(await register(operator, two.verifierKey), 201)
    const { witnesses } = expect(await spine.get(witnessesPath), 200).body
    t.match(witnesses, [
      { witness: one.name, verifierKey: one.verifierKey, retiredAt: null },
      { witness: passing.name, retiredAt: /Z$/ },
      { witness: two.name },
    ])
    const { entries } = (await auditor.get('/v1/audit/entries?action=register-witness')).body
    const notes = entries.map(({ entry }: { entry: string }) => JSON.parse(entry).note)
    t.ok(notes.includes(two.verifierKey), 'the key is in the trail')
  })

  await t.test(
    'too few cosignatures: no approval and no byte, whatever else is there',
    async (t) => {
      const release = await reviewed()
      const missing = (cosignatures: number) => ({
        status: 409,
        body: {
          type: /:cosignatures-missing$/,
          details: { cosignatures, cosignaturesMin: 2 },
        },
      })
      t.equal((await one.look(spine)).code, 0)
      t.equal((await two.look(auditor)).code, 0)
      t.match(await release.approve(), missing(0), 'both saw the trail before the building')
      await service.signer.publish()
      t.match(await release.approve(), missing(0), 'a checkpoint that nobody cosigned')
      t.match((await one.look(spine)).out, /^cosigned size \d+$/m)
      t.match(await release.approve(), missing(1))
      t.equal((await takeFile(recipient, release.path, 'manifest.json')).status, 409)
      await service.signer.publish()
      const { size } = await checkpoint()
      const met = await two.look(auditor, '--json')
      t.ok(JSON.parse(met.out.trim().split('\n').at(-1) ?? '').size < size, 'it meets the other')
      const { job } = expect(await release.approve(), 202).body
      await service.jobEnd(operator, job)
      t.equal((await takeFile(recipient, release.path, 'manifest.json')).status, 200)
      const search = '/v1/audit/entries?action=approve-release&limit=1000'
      const { entries } = (await auditor.get(search)).body
      const leaves = entries.map(({ entry }: { entry: string }) => JSON.parse(entry))
      t.match(leaves.at(-1), { outcome: 'done', counts: { cosignatures: 2, reviewers: 3 } })
      t.equal(
        leaves.filter(({ note }: { note?: string }) => note === 'cosignatures-missing').length,
        3,
        'each refusal is on record',
      )
    },
  )

  await t.test('a cosignature counts once, by its signature alone', async (t) => {
    await service.signer.publish()
    t.equal((await one.look(spine)).code, 0)
    const { size, note } = await checkpoint()
    const [line = ''] = note.match(/^— witness\.example\/one .*\n/m) ?? []
    const give = (body: { size: number; line: string }, by = auditor): Promise<Answer> =>
      by.post('/v1/audit/cosignatures', body)
    t.match(await give({ size, line }), { status: 200, body: { isNew: false } })
    t.match((await one.look(spine)).out, /is cosigned already/)
    const later = lineOf(one, note, Date.now() / 1000 + 3)
    t.match(await give({ size, line: later }), { status: 200, body: { isNew: false } })
    t.equal((await checkpoint()).note, note, 'the first one stays')
    const notes: Record<string, [number, { size: number; line: string }]> = {
      'another checkpoint': [422, { size, line: lineOf(two, note.replace(/\n\d+\n/, '\n7\n'), 9) }],
      'another name': [422, { size, line: line.replace('/one', '/two') }],
      'nobody’s': [422, { size, line: line.replace('/one', '/six') }],
      'a time that lies ahead': [422, { size, line: lineOf(two, note, Date.now() / 1000 + 3600) }],
      'a checkpoint that never was': [404, { size: size + 1, line }],
      'two lines': [400, { size, line: line + line }],
      'no line': [400, { size, line: 'x' }],
    }
    for (const [what, [status, body]] of Object.entries(notes)) {
      t.equal((await give(body)).status, status, what)
    }
    t.equal((await give({ size, line }, reviewers[0])).status, 403)
    await t.rejects(
      service.database.pool('gyeol_api', 1).query('delete from gyeol.cosignature'),
      { code: '42501' },
      'and stays',
    )
  })

  await t.test('whoever has the trail or a package checks them without the service', async (t) => {
    const file = join(home, 'trail.jsonl')
    writeFileSync(join(home, 'token'), auditor.token ?? '', { mode: 0o600 })
    writeFileSync(join(home, 'ca.pem'), service.authority.ca)
    const reach = ['--url', service.url, '--ca', join(home, 'ca.pem')]
    await service.signer.publish()
    t.equal((await one.look(spine)).code, 0)
    const words = ['audit', 'export', '--out', file, '--token-file', join(home, 'token'), ...reach]
    t.equal((await gyeol(words)).code, 0)
    const verify = ['audit', 'verify', file, '--key', logKey]
    const verified = await gyeol([...verify, '--witnesses', keysFile])
    t.equal(verified.code, 0)
    t.match(verified.out, /^cosigned by witness\.example\/one 20/m)
    t.match(verified.out, /^not checked: what witness\.example\/two saw/m)
    t.match((await gyeol(verify)).out, /^not checked: 1 cosignatures/m)
    const cosignedBy = (count: string) =>
      gyeol([...verify, '--witnesses', keysFile, '--cosignatures', count])
    t.equal((await cosignedBy('1')).code, 0)
    const tooFew = /^cosignatures: 1 of the witnesses have cosigned, and 2 must have\.$/m
    t.match(await cosignedBy('2'), { code: 3, out: tooFew })
    const unnamed = [...verify, '--cosignatures', '1']
    t.equal((await gyeol(unnamed)).code, exitCodes['option-unknown'], 'of which witnesses')
    const ofAnyLog = ['audit', 'verify', file, '--witnesses', keysFile, '--cosignatures', '1']
    t.equal((await gyeol(ofAnyLog)).code, exitCodes['option-unknown'], 'under which log')
    const text = readFileSync(file, 'utf8')
    const at = text.lastIndexOf('witness.example/one ') + 40
    writeFileSync(file, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1))
    t.match(await gyeol([...verify, '--witnesses', keysFile]), { code: 3, out: /cosignatures: / })
    t.match(await cosignedBy('1'), { code: 3, out: /cosignatures: 0 of the witnesses/ })
    t.equal((await gyeol(verify)).code, 0, 'nobody asked for it')
    writeFileSync(join(home, 'none'), `${logKey}\n`)
    const none = [...verify, '--witnesses', join(home, 'none')]
    t.equal((await gyeol(none)).code, exitCodes['input-malformed'])
  })

  await t.test('a package carries the cosignatures of its publication', async (t) => {
    const release = await reviewed()
    await service.signer.publish()
    for (const [witness, as] of [
      [one, spine],
      [two, auditor],
    ] as const) {
      t.equal((await witness.look(as)).code, 0)
    }
    await service.jobEnd(operator, expect(await release.approve(), 202).body.job)
    await service.signer.publish()
    const directory = join(home, 'package')
    const { files, signatureKey } = expect(await recipient.get(release.path), 200).body
    const take = async (name: string): Promise<string> => {
      const { bytes } = expect(await takeFile(recipient, release.path, name), 200)
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), bytes)
      return bytes.toString()
    }
    for (const { name } of files) await take(name)
    const verify = ['release', 'verify', directory, '--key', signatureKey, '--verifier', logKey]
    const early = await gyeol([...verify, '--witnesses', keysFile])
    t.equal(early.code, 0, early.out)
    t.match(early.out, /^not checked: what witness\.example\/one saw/m)
    t.equal((await one.look(spine)).code, 0)
    t.equal((await two.look(auditor)).code, 0)
    const proof = await take('audit-proof.txt')
    t.equal(cosignersOf(proof.slice(proof.indexOf('\n\n') + 2), [one.verifierKey]).length, 1)
    const late = await gyeol([...verify, '--witnesses', keysFile, '--json'])
    t.equal(late.code, 0, late.out)
    t.match(late.err, /^cosigned by witness\.example\/one 20.*\ncosigned by witness\.example\/two/m)
    t.notMatch(late.err, /not checked: what/)
    t.match((await gyeol(verify)).out, /^not checked: 2 cosignatures/m)
    const demand = async (keys: readonly string[], count: number) => {
      const file = join(home, 'demanded')
      writeFileSync(file, `${keys.join('\n')}\n`)
      return gyeol([...verify, '--witnesses', file, '--cosignatures', String(count)])
    }
    const both = [one.verifierKey, two.verifierKey]
    const stranger = (await makeTestWitness(home, 'witness.example/three', logKey)).verifierKey
    t.equal((await demand(both, 2)).code, 0)
    t.equal((await demand([...both, stranger], 2)).code, 0, 'two of three')
    const tooFew = /^audit-proof\.txt: 1 of the witnesses have cosigned, and 2 must have\.$/m
    for (const [what, keys] of Object.entries({
      'one and the same': [one.verifierKey, one.verifierKey],
      'another witness': [one.verifierKey, stranger],
      'one alone': [one.verifierKey],
    })) {
      t.match(await demand(keys, 2), { code: 3, out: tooFew }, what)
    }
    const withoutKey = ['release', 'verify', directory, '--cosignatures', '1']
    t.equal((await gyeol(withoutKey)).code, exitCodes['option-unknown'])
    t.equal((await gyeol([...verify, '--cosignatures', '1'])).code, exitCodes['option-unknown'])
    await service.signer.publish()
    t.equal((await one.look(spine)).code, 0)
    t.equal(await take('audit-proof.txt'), proof, 'enough have cosigned: it stays as it is')
    const name = 'witness.example/two '
    const at = proof.indexOf(name) + name.length + 30
    const forged = proof.slice(0, at) + (proof[at] === 'A' ? 'B' : 'A') + proof.slice(at + 1)
    writeFileSync(join(directory, 'audit-proof.txt'), forged)
    t.equal((await gyeol([...verify, '--witnesses', keysFile])).code, 3)
    const changed = /^audit-proof\.txt: A cosignature under its checkpoint is not of the witness/m
    t.match(await demand(both, 2), { code: 3, out: changed }, 'it was changed')
    t.equal((await demand([one.verifierKey], 1)).code, 0, 'the other one was not')
  })

  await t.test('a witness without its memory, or of another log, cosigns nothing', async (t) => {
    const lost = await makeTestWitness(home, 'witness.example/lost', logKey)
    rmSync(join(lost.directory, 'witness.memory'))
    t.equal((await lost.look(spine)).code, exitCodes['not-found'])
    const foreign = await makeTestWitness(home, 'witness.example/foreign', one.verifierKey)
    t.equal((await foreign.look(spine)).code, exitCodes['input-malformed'])
    const again = ['audit', 'witness-key', '--witness', one.name, '--directory', one.directory]
    t.equal((await gyeol(again)).code, exitCodes['already-exists'], 'a key is not made anew')
    const bad = ['audit', 'witness-key', '--witness', 'a b', '--directory', join(home, 'bad')]
    t.equal((await gyeol(bad)).code, exitCodes['option-unknown'])
  })

  await t.test(
    'a superuser rewrites the trail: the witness refuses, says where, and shows it',
    async (t) => {
      const before = await checkpoint()
      const sizeShared = openCheckpoint(before.note, [logKey]).size
      await one.look(spine)
      for (let leaves = 0; leaves < 3; leaves += 1) await auditor.post('/v1/projects', {})
      expect(await operator.delete(`${witnessesPath}/${encodeURIComponent(two.name)}`), 204)
      await service.signer.publish()
      t.equal((await one.look(spine)).code, 0)
      const { size: sizeSeen } = await checkpoint()
      t.ok(sizeSeen > sizeShared)

      await admin.query(`set session_replication_role = replica;
      update gyeol.audit_leaf set entry = convert_to('{}', 'UTF8'), leaf_hash = sha256('\\x007b7d'::bytea)
        where number = ${sizeShared};
      delete from gyeol.audit_checkpoint where size > ${sizeShared};
      delete from gyeol.cosignature where size > ${sizeShared};
      set session_replication_role = origin`)
      const keyring = service.keyrings.sign
      const pool = service.database.pool('gyeol_sign')
      await createSigner({ pool, keyring, origin }).publish()
      t.ok(openCheckpoint((await checkpoint()).note, [logKey]), 'the log signs it as ever')

      const refused = await one.look(spine, '--every', '1')
      t.equal(refused.code, exitCodes['history-differs'], 'it ends, however it was started')
      t.match(refused.err, /THE LOG SHOWS TWO HISTORIES/)
      t.match(refused.err, new RegExp(`^firstLeaf: ${sizeShared}$`, 'm'))
      t.match(refused.err, new RegExp(`^lastLeaf: ${sizeSeen - 1}$`, 'm'))
      t.notMatch((await checkpoint()).note, /witness\.example/)
      const [kept = ''] = readdirSync(one.directory).filter((name) => /^two-histories/.test(name))
      const notes = readFileSync(join(one.directory, kept), 'utf8').split(`\n${origin}\n`)
      t.equal(notes.length, 2, 'two checkpoints of one log')
      t.equal((await one.look(spine)).code, exitCodes['history-differs'], 'and does not forget')

      await admin.query(`set session_replication_role = replica;
      delete from gyeol.audit_leaf where number >= ${sizeShared};
      update gyeol.audit_head set size = ${sizeShared};
      delete from gyeol.audit_checkpoint where size > ${sizeShared};
      set session_replication_role = origin`)
      const cut = await one.look(spine)
      t.equal(cut.code, exitCodes['history-differs'])
      t.match(cut.err, /THE LOG IS SHORTER/)
    },
  )
})

/** What the witness would write under a checkpoint at a time: its key, without its memory. */
function lineOf({ directory, verifierKey }: TestWitness, note: string, seconds: number): string {
  const key = createPrivateKey(readFileSync(join(directory, 'witness.key')))
  const cosigner = { verifierKey, timeSeconds: Math.floor(seconds) }
  return cosignatureLine(note, cosigner, (bytes) => sign(null, bytes, key))
}
