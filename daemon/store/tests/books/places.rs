use rotord_store::{Conflict, EnvironmentId, ProjectId, StoreError, What};
use uuid::Uuid;

use crate::driver::{Books, start};

#[test]
fn the_default_project_has_three_environments_with_their_folder() {
    let books = Books::new();
    let reader = books.store.as_reader();
    let project = reader.project("default").unwrap();
    assert_eq!(reader.project(&project.id.to_string()).unwrap(), project);
    let environments = reader.environments(project.id).unwrap();
    let names: Vec<_> = environments
        .iter()
        .map(|e| (e.slug.as_str(), e.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("dev", "Development"),
            ("staging", "Staging"),
            ("prod", "Production")
        ]
    );
    for environment in environments {
        let folders = reader.folders(environment.id).unwrap();
        assert_eq!(folders.len(), 1);
        assert_eq!(folders[0].path, "/");
    }
}

#[test]
fn a_folder_is_made_with_those_above_it_and_once() {
    let mut books = Books::new();
    let environment = books.root("dev").environment.id;
    let made = books
        .store
        .create_folder(start(), environment, "/a/b/c", &[])
        .unwrap();
    let reader = books.store.as_reader();
    let paths: Vec<_> = reader
        .folders(environment)
        .unwrap()
        .into_iter()
        .map(|folder| folder.path)
        .collect();
    assert_eq!(paths, ["/", "/a", "/a/b", "/a/b/c"]);
    let place = reader.place(made.id).unwrap();
    assert_eq!(place.environment.slug, "dev");
    assert_eq!(place.project.slug, "default");
    for path in ["/", "/a", "/a/b/c"] {
        let again = books
            .store
            .create_folder(start(), environment, path, &[])
            .unwrap_err();
        assert!(matches!(
            again,
            StoreError::Conflict(Conflict::FolderPath { .. })
        ));
    }
    books
        .store
        .create_folder(start(), environment, "/a/d", &[])
        .unwrap();
}

#[test]
fn what_does_not_exist_is_named() {
    let mut books = Books::new();
    let is = |what: What, result: Result<(), StoreError>| {
        assert!(
            matches!(&result, Err(StoreError::NotFound { what: found, .. }) if *found == what),
            "{result:?}"
        );
    };
    let (project, environment) = (ProjectId(Uuid::nil()), EnvironmentId(Uuid::nil()));
    let dev = books.root("dev").environment;
    let reader = books.store.as_reader();
    is(What::Project, reader.project("nope").map(drop));
    is(
        What::Environment,
        reader.environment(dev.project, "x").map(drop),
    );
    is(What::Folder, reader.folder(dev.id, "/x").map(drop));
    let store = &mut books.store;
    is(
        What::Project,
        store
            .create_environment(start(), project, "x", "X", &[])
            .map(drop),
    );
    is(
        What::Environment,
        store
            .create_folder(start(), environment, "/x", &[])
            .map(drop),
    );
}

#[test]
fn slugs_are_unique_where_they_are() {
    let mut books = Books::new();
    let dev = books.root("dev").environment;
    let store = &mut books.store;
    assert!(matches!(
        store.create_project(start(), "default", "Again", &[]),
        Err(StoreError::Conflict(Conflict::ProjectSlug { .. }))
    ));
    assert!(matches!(
        store.create_environment(start(), dev.project, "dev", "Again", &[]),
        Err(StoreError::Conflict(Conflict::EnvironmentSlug { .. }))
    ));
    let other = store
        .create_project(start(), "other", "Other", &[])
        .unwrap();
    assert_eq!(store.as_reader().environments(other.id).unwrap().len(), 3);
    let qa = store
        .create_environment(start(), other.id, "qa", "QA", &[])
        .unwrap();
    store.as_reader().folder(qa.id, "/").unwrap();
}

#[test]
fn a_folder_goes_only_when_it_is_empty() {
    let mut books = Books::new();
    let root = books.root("dev");
    books.published("app", "v1");
    let store = &mut books.store;
    let inner = store
        .create_folder(start(), root.environment.id, "/a/b", &[])
        .unwrap();
    let outer = store.as_reader().folder(root.environment.id, "/a").unwrap();
    // A neighbour with the same beginning is not below it.
    store
        .create_folder(start(), root.environment.id, "/a-b", &[])
        .unwrap();
    let holds = |result: Result<(), StoreError>| match result {
        Err(StoreError::Conflict(Conflict::FolderInUse { holds, .. })) => holds,
        other => panic!("{other:?}"),
    };
    assert!(holds(store.delete_folder(root.folder.id)).contains("everything"));
    assert_eq!(holds(store.delete_folder(outer.id)), "1 folders");
    store.delete_folder(inner.id).unwrap();
    let rotation = store
        .as_reader()
        .rotation_by_name(root.folder.id, "app")
        .unwrap();
    let id = rotation.details.id;
    store
        .move_rotation(start(), id, outer.id, false, &[])
        .unwrap();
    assert!(holds(store.delete_folder(outer.id)).starts_with("2 secrets, 1 rotations"));
    store
        .move_rotation(start(), id, root.folder.id, false, &[])
        .unwrap();
    store.delete_folder(outer.id).unwrap();
}
