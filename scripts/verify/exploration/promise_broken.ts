/** A promise of the broker does not hold. */
export class PromiseBroken extends Error {
  override readonly name = "PromiseBroken";
}
