//! A disk as POSIX promises it, and no better: what was written to a file is there for certain once the file was
//! synced, and its name once the folder was. Before that any part of it may be there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use e2e::Failure;
use e2e::failure::OrFail as _;

use super::record::{Entry, Operation};

/// A disk writes sectors whole.
const SECTOR: usize = 512;

/// What is on the disk for certain, and what may be.
#[derive(Debug)]
pub struct Disk {
    top: PathBuf,
    /// By name, as for certain.
    names: BTreeMap<PathBuf, Node>,
    /// By folder, what is not certain.
    pending_names: HashMap<PathBuf, Vec<Change>>,
    files: HashMap<u64, File>,
    /// Inodes are used again: which file has which now.
    of_inode: HashMap<u64, u64>,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Folder,
    File(u64),
}

#[derive(Clone, Debug)]
enum Change {
    Add(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    /// A second name.
    Link(PathBuf, PathBuf),
}

#[derive(Debug, Default)]
struct File {
    certain: Vec<u8>,
    pending: Vec<Edit>,
}

#[derive(Debug)]
enum Edit {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// Files with their contents, and folders, by their paths below the top.
#[derive(Debug, Default)]
pub struct Files(BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Disk {
    /// An empty one, but for its top.
    pub(crate) fn new(top: &Path) -> Self {
        Self {
            top: top.to_owned(),
            names: BTreeMap::from([(top.to_owned(), Node::Folder)]),
            pending_names: HashMap::new(),
            files: HashMap::new(),
            of_inode: HashMap::new(),
        }
    }

    /// The daemon did something.
    pub(crate) fn take(&mut self, entry: &Entry) {
        match &entry.what {
            Operation::Create { file, path } => {
                let id = self.files.len() as u64;
                self.files.insert(id, File::default());
                self.of_inode.insert(*file, id);
                self.change(path, Change::Add(path.clone(), Node::File(id)));
            }
            Operation::MakeFolder { path } => {
                self.change(path, Change::Add(path.clone(), Node::Folder));
            }
            Operation::Unlink { path } => self.change(path, Change::Remove(path.clone())),
            Operation::Rename { from, to } => {
                self.change(to, Change::Rename(from.clone(), to.clone()));
            }
            Operation::Link { from, to } => {
                self.change(to, Change::Link(from.clone(), to.clone()));
            }
            Operation::Write {
                file,
                offset,
                bytes,
            } => {
                self.edit(*file, Edit::Write(*offset, bytes.clone()));
            }
            Operation::Truncate { file, length } => self.edit(*file, Edit::Truncate(*length)),
            Operation::Sync { file } => {
                if let Some(file) = self
                    .of_inode
                    .get(file)
                    .and_then(|id| self.files.get_mut(id))
                {
                    for edit in std::mem::take(&mut file.pending) {
                        edit.apply(&mut file.certain);
                    }
                }
            }
            Operation::SyncFolder { path } => {
                for change in self.pending_names.remove(path).unwrap_or_default() {
                    change.apply(&mut self.names);
                }
            }
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        let folder = path.parent().unwrap_or(path).to_owned();
        self.pending_names.entry(folder).or_default().push(change);
    }

    fn edit(&mut self, inode: u64, edit: Edit) {
        if let Some(file) = self
            .of_inode
            .get(&inode)
            .and_then(|id| self.files.get_mut(id))
        {
            file.pending.push(edit);
        }
    }

    /// The disk after a power cut now. `luck` is asked for each thing that is not certain: 1 keeps all of it, 0
    /// nothing, and from the middle on a part of it, in whole sectors.
    pub(crate) fn after_a_cut(&self, mut luck: impl FnMut() -> f64) -> Files {
        let mut names = self.names.clone();
        // In a fixed order, so that a seed tells it again.
        let folders: BTreeMap<_, _> = self.pending_names.iter().collect();
        for change in folders.into_values().flatten() {
            if luck() > 0.5 {
                change.apply(&mut names);
            }
        }
        let mut files = Files::default();
        for (path, node) in &names {
            let is_there = path
                .ancestors()
                .skip(1)
                .take_while(|above| above.starts_with(&self.top))
                .all(|above| matches!(names.get(above), Some(Node::Folder)));
            let Ok(below) = path.strip_prefix(&self.top) else {
                continue;
            };
            // The index of SQLite's journal is memory that is shared, and means nothing after a start.
            if !is_there || below.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let content = match node {
                Node::Folder => None,
                Node::File(id) => self.files.get(id).map(|file| file.after_a_cut(&mut luck)),
            };
            files.0.insert(below.to_owned(), content);
        }
        files
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Link(from, to) => {
                if let Some(node) = names.get(from) {
                    names.insert(to.clone(), *node);
                }
            }
        }
    }
}

impl File {
    fn after_a_cut(&self, luck: &mut impl FnMut() -> f64) -> Vec<u8> {
        let mut content = self.certain.clone();
        for edit in &self.pending {
            match (edit, luck()) {
                (edit, kept) if kept > 0.75 => edit.apply(&mut content),
                (Edit::Write(offset, bytes), kept) if kept > 0.5 => {
                    let sectors = bytes.len() / SECTOR / 2 * SECTOR;
                    Edit::Write(*offset, bytes[..sectors].to_vec()).apply(&mut content);
                }
                _ => {}
            }
        }
        content
    }
}

impl Edit {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate(length) => content.resize(*length, 0),
            Self::Write(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

impl Files {
    /// Puts them below a folder, which is made.
    ///
    /// # Errors
    /// They can't be written.
    pub fn write(&self, top: &Path) -> Result<(), Failure> {
        let io = || "a disk can't be made".to_owned();
        std::fs::create_dir_all(top).or_fail(io)?;
        for (path, content) in &self.0 {
            let path = top.join(path);
            match content {
                None => std::fs::create_dir_all(&path).or_fail(io)?,
                Some(content) => {
                    std::fs::write(&path, content).or_fail(io)?;
                    // As the daemon makes them: it refuses keys that others can read.
                    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                    std::fs::set_permissions(&path, private).or_fail(io)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn disk(operations: Vec<Operation>) -> Disk {
        let mut disk = Disk::new(Path::new("/d"));
        for what in operations {
            let at = DateTime::UNIX_EPOCH;
            disk.take(&Entry { at, what });
        }
        disk
    }

    fn path(name: &str) -> PathBuf {
        Path::new("/d").join(name)
    }

    fn created_and_written() -> Vec<Operation> {
        vec![
            Operation::Create {
                file: 7,
                path: path("a"),
            },
            Operation::Write {
                file: 7,
                offset: 0,
                bytes: b"text".to_vec(),
            },
        ]
    }

    fn synced() -> Vec<Operation> {
        let mut operations = created_and_written();
        operations.push(Operation::Sync { file: 7 });
        operations.push(Operation::SyncFolder { path: "/d".into() });
        operations
    }

    #[test]
    fn a_file_needs_its_own_sync_and_its_folders() {
        assert!(
            !disk(created_and_written())
                .after_a_cut(|| 0.0)
                .0
                .contains_key(Path::new("a"))
        );
        let files = disk(synced()).after_a_cut(|| 0.0);
        assert_eq!(files.0[Path::new("a")].as_deref(), Some(&b"text"[..]));
        let mut operations = created_and_written();
        operations.push(Operation::SyncFolder { path: "/d".into() });
        let files = disk(operations).after_a_cut(|| 0.0);
        assert_eq!(files.0[Path::new("a")].as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_not_certain_may_be_there() {
        let files = disk(created_and_written()).after_a_cut(|| 1.0);
        assert_eq!(files.0[Path::new("a")].as_deref(), Some(&b"text"[..]));
    }

    #[test]
    fn a_rename_is_seen_whole_or_not_at_all() {
        let mut operations = synced();
        operations.push(Operation::Rename {
            from: path("a"),
            to: path("b"),
        });
        let disk = disk(operations);
        assert!(disk.after_a_cut(|| 0.0).0.contains_key(Path::new("a")));
        let after = disk.after_a_cut(|| 1.0);
        assert!(after.0.contains_key(Path::new("b")) && !after.0.contains_key(Path::new("a")));
    }

    #[test]
    fn a_second_name_stays_when_the_first_goes_to_another_file() {
        let mut operations = synced();
        operations.push(Operation::Link {
            from: path("a"),
            to: path("kept"),
        });
        operations.push(Operation::Create {
            file: 8,
            path: path("draft"),
        });
        operations.push(Operation::Rename {
            from: path("draft"),
            to: path("a"),
        });
        let disk = disk(operations);
        let before = disk.after_a_cut(|| 0.0);
        assert!(!before.0.contains_key(Path::new("kept")));
        let after = disk.after_a_cut(|| 1.0);
        assert_eq!(after.0[Path::new("kept")].as_deref(), Some(&b"text"[..]));
        assert_eq!(after.0[Path::new("a")].as_deref(), Some(&b""[..]));
    }

    #[test]
    fn nothing_is_in_a_folder_that_is_not_there() {
        let disk = disk(vec![
            Operation::MakeFolder { path: path("f") },
            Operation::Create {
                file: 1,
                path: path("f/a"),
            },
            Operation::SyncFolder { path: path("f") },
        ]);
        assert!(!disk.after_a_cut(|| 0.0).0.contains_key(Path::new("f/a")));
    }
}
