//! A bare actix-web server on a Unix socket: what the daemon's reads are held against.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use actix_web::{App, HttpResponse, HttpServer, web};
use e2e::Failure;

/// Serves `body` on the socket, whatever is asked, until the process ends.
pub(crate) fn serve(socket: PathBuf, body: String) -> Result<PathBuf, Failure> {
    let listener = UnixListener::bind(&socket)
        .map_err(|error| Failure::new("the bare server has no socket").because(error))?;
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let answer = web::Data::new(body);
            let server = HttpServer::new(move || {
                App::new().app_data(answer.clone()).default_service(web::to(
                    |body: web::Data<String>| async move {
                        HttpResponse::Ok()
                            .content_type("application/json")
                            .body(body.get_ref().clone())
                    },
                ))
            });
            if let Ok(server) = server.workers(1).disable_signals().listen_uds(listener) {
                // It runs until the process ends.
                let _ = server.run().await;
            }
        });
    });
    Ok(socket)
}
