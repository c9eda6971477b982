import { test } from 'tap'
import { type AuditEntry, entryBytes } from '../../src/core/audit-entry.ts'

const entry: AuditEntry = {
  time: '2026-03-01T09:00:00.000Z',
  actor: { kind: 'agency', name: 'insurer' },
  action: 'submit-delivery',
  object: 'delivery:5f0c1d9e-8a43-4a52-9a4e-0d6f3c1b2a90',
  outcome: 'done',
  counts: { rows: 10_000 },
}

test('an entry has one text', async (t) => {
  t.equal(
    entryBytes(entry).toString('utf8'),
    '{"action":"submit-delivery","actor":{"kind":"agency","name":"insurer"},"counts":{"rows":10000},' +
      '"object":"delivery:5f0c1d9e-8a43-4a52-9a4e-0d6f3c1b2a90","outcome":"done",' +
      '"time":"2026-03-01T09:00:00.000Z"}',
  )
  const { time, ...rest } = entry
  t.same(entryBytes({ time, ...rest }), entryBytes({ ...rest, time }))
})

test('an entry of another form is a defect that names the place and not the value', async (t) => {
  const marked = '8001011234567'
  for (const [place, change] of [
    ['time', { time: '2026-03-01 09:00' }],
    ['actor', { actor: { kind: 'person', name: marked } }],
    ['counts', { counts: { rows: 0.5 } }],
    ['counts', { counts: { rows: 2 ** 53 } }],
    ['counts', { counts: { [marked]: 1 } }],
    ['digests', { digests: { manifest: marked } }],
    ['note', { note: marked.repeat(100) }],
    ['outcome', { outcome: marked }],
    ['entry', { [marked]: true }],
  ] as const) {
    const run = (): unknown => Reflect.apply(entryBytes, undefined, [{ ...entry, ...change }])
    t.throws(run, new RangeError(`an audit entry is malformed at ${place}`))
  }
})
