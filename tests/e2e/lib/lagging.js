// Imported before a suite: its blocks are final 15 blocks later, about as many as on a live parachain.

process.env.NOEMA_E2E_FINALITY_LAG = '15';
