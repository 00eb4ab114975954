/**
 * CURVE for trials: fixed keys, the same for every library, as options of a socket in each role. They are of no use to
 * anybody else, and so no secret.
 */
const server = {
  publicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  secretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
};
const client = {
  publicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  secretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
};

/** For the side that binds: the server's role. */
export const serverOptions = { curveServer: true, curveSecretKey: server.secretKey };

/** For the side that dials. */
export const clientOptions = {
  curveServerKey: server.publicKey,
  curvePublicKey: client.publicKey,
  curveSecretKey: client.secretKey,
};
