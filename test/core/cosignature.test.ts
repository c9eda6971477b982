import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { checkpointText, openCheckpoint } from '../../src/core/checkpoint.ts'
import {
  cosignatureLine,
  cosignersOf,
  witnessCount,
  witnessKeyOf,
  witnessNameOf,
} from '../../src/core/cosignature.ts'
import { cosignaturesUnder } from '../../src/core/cosigned.ts'
import { Refusal } from '../../src/core/errors.ts'
import { signerOf } from './trail-fixture.ts'

// A checkpoint of a public certificate log of May 2026, with the cosignatures of four public witnesses and their keys. The
// first line under it is of a type that is not known here, as C2SP wants it passed over.
const ctLog =
  'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f'
const ctWitnesses = [
  'transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM',
  'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
  'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
  'witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv',
]
const ctNote = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`

const seed = Buffer.alloc(32, 7)
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
const ours = witnessKeyOf('witness.example/one', publicKey)
const signs = (bytes: Uint8Array): Uint8Array => sign(null, bytes, privateKey)
const log = signerOf(5)

/** A checkpoint of our log and our cosignature under it. */
function cosigned(size: number, timeSeconds: number): string {
  const root = Buffer.alloc(32, size % 256)
  const note = log.noteOf(checkpointText({ origin: 'gyeol.example/trail', size, root }))
  return note + cosignatureLine(note, { verifierKey: ours, timeSeconds }, signs)
}

test('accepts what four public witnesses cosigned', async (t) => {
  const timeSeconds = 1_779_573_024
  t.same(
    cosignersOf(ctNote, ctWitnesses),
    ctWitnesses.map((verifierKey) => ({ verifierKey, timeSeconds })),
  )
  t.equal(openCheckpoint(ctNote, [ctLog]).size, 1_432_088_532)
  t.equal(cosignaturesUnder(ctNote, [ctLog]), 5)
  t.equal(witnessNameOf(ctWitnesses[2] ?? ''), 'remora.n621.de')
})

test('every changed character of a cosigned text or cosignature is noticed', async (t) => {
  const [witness = ''] = ctWitnesses.slice(-1)
  const textEnd = ctNote.indexOf('\n\n')
  const lineStart = ctNote.indexOf('— witness.stagemole.eu')
  for (let i = 0; i < ctNote.length; i++) {
    if (i >= textEnd && i < lineStart) continue // Other signatures are not its concern.
    const changed = ctNote.slice(0, i) + (ctNote[i] === 'A' ? 'B' : 'A') + ctNote.slice(i + 1)
    let found = 0
    try {
      found = cosignersOf(changed, [witness]).length
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
    t.equal(found, 0, `character ${i}`)
  }
})

test('what one witness cosigns verifies under its key, its time and its text, and no other', async (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 33 }), (size, timeSeconds) => {
      const note = cosigned(size, timeSeconds)
      const [found, ...more] = cosignersOf(note, [ours, ...ctWitnesses])
      const isOurs = found?.verifierKey === ours && found.timeSeconds === timeSeconds
      return isOurs && more.length === 0 && openCheckpoint(note, [log.verifierKey]).size === size
    }),
  )
  const [one, other] = [cosigned(1, 1_000), cosigned(2, 1_000)]
  const moved = other.slice(0, other.indexOf('— witness')) + one.slice(one.indexOf('— witness'))
  t.throws(() => cosignersOf(moved, [ours]), { code: 'signature-wrong' })
})

test('the signature of a log and a cosignature never pass for each other', async (t) => {
  const note = cosigned(3, 1_000)
  t.throws(() => openCheckpoint(note, [ours]), { code: 'input-malformed' })
  t.throws(() => cosignersOf(note, [log.verifierKey]), { code: 'input-malformed' })
  const asLog = witnessKeyOf('gyeol.example/trail', publicKey)
  t.same(cosignersOf(note, [asLog]), [], 'another name is another key')
  t.throws(() => cosignaturesUnder(note, [signerOf(6).verifierKey]), { code: 'signature-wrong' })
  t.same(cosignersOf(note, []), [])
  const short = note.replace(/(— witness\S+ )\S+/, (_, name) => {
    const keyId = Buffer.from(ours.split('+')[1] ?? '', 'hex')
    return name + Buffer.concat([keyId, Buffer.alloc(4)]).toString('base64')
  })
  t.throws(() => cosignersOf(short, [ours]), { code: 'signature-wrong' }, 'too short for a time')
  t.equal(cosignersOf(cosigned(3, 8_640_000_000_000), [ours]).length, 1)
  const late = cosigned(3, 8_640_000_000_001)
  t.throws(() => cosignersOf(late, [ours]), { code: 'signature-wrong' }, 'no time of any date')
})

test('a witness that is known by two names is one witness', async (t) => {
  const verifierKeys = [ours, witnessKeyOf('witness.example/alias', publicKey)]
  const others = ctWitnesses.slice(0, 2)
  const cosigners = [...verifierKeys, ...others, ours].map((verifierKey) => ({
    verifierKey,
    timeSeconds: 1,
  }))
  t.equal(witnessCount(cosigners), 3)
  t.equal(witnessCount([]), 0)
})
