import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'

test('a refusal carries its code, its sentence and where to look', async (t) => {
  const refusal = new Refusal('digest-differs', 'The digest differs from the bytes.', { line: 3 })
  t.equal(refusal.code, 'digest-differs')
  t.equal(refusal.details['line'], 3)
  t.equal(refusal.message, 'The digest differs from the bytes.')
})
