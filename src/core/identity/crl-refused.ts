/** How the readers of CRLs say no to what is well-formed but not supported. It never leaves the loading of CRLs. */
export class CrlRefused extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'CrlRefused';
  }
}
